"""What a small fault is: finds the places in a C file where one can be put, and puts it there."""
import dataclasses
import re


@dataclasses.dataclass(frozen=True)
class Mutant:
    source: str
    line: int
    kind: str
    start: int
    end: int
    instead: str

    def apply(self, text):
        """With the same number of lines, so that nothing else changes."""
        lines = text.count("\n", self.start, self.end) - self.instead.count("\n")
        return text[:self.start] + self.instead + "\n" * lines + text[self.end:]


def mask(text, strings=True):
    """Comments, lines of the preprocessor and (as asked) what is in quotes become blanks."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group())

    def blank_inside(match):
        whole = match.group()
        if whole.startswith("/*"):
            return blank(match)
        return whole[0] + "_" * (len(whole) - 2) + whole[-1] if strings else whole
    text = re.sub(r'/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', blank_inside, text, flags=re.S)
    return re.sub(r"^#(?:.*\\\n)*.*$", blank, text, flags=re.M) if strings else text


# kind, pattern over masked code, what may stand for its first group
CODE = [
    ("comparison", r"(?<=\s)(==)(?=\s)", ["!="]),
    ("comparison", r"(?<=\s)(!=)(?=\s)", ["=="]),
    ("comparison", r"(?<=\s)(<=)(?=\s)", ["<", ">"]),
    ("comparison", r"(?<=\s)(>=)(?=\s)", [">", "<"]),
    ("comparison", r"(?<=\s)(<)(?=\s)", ["<=", ">="]),
    ("comparison", r"(?<=\s)(>)(?=\s)", [">=", "<="]),
    ("logic", r"(?<=\s)(&&)(?=\s)", ["||"]),
    ("logic", r"(?<=\s)(\|\|)(?=\s)", ["&&"]),
    ("arithmetic", r"(?<=[\w)\]] )(\+)(?= )", ["-"]),
    ("arithmetic", r"(?<=[\w)\]] )(-)(?= )", ["+"]),
    ("condition", r"\b(?:if|while) (\()", ["(!"]),
    ("jump", r"\b(continue);", ["break"]),
    ("return", r"\breturn (true);", ["false"]),
    ("return", r"\breturn (false);", ["true"]),
    ("return", r"\breturn ((?!true;|false;|NULL;|0;)[^;]+);", ["0"]),
]
CALL = re.compile(r"^\t+(?!return\b|assert\b|_Static_assert\b|if\b|for\b|while\b|switch\b|do\b|goto\b|cJSON_ArrayForEach\b)"
                  r"(?:\(void\))?((?:[a-z_]\w*|\(\w[^\n()]*\? [^\n]*\))\([^;{}]*\);)", re.M)
ASSIGNMENT = re.compile(r"^\t+((?:\*|\(\*)?[a-z_][\w.>\-\[\]()*]* (?:=|\|=|\+=|-=|&=) [^;{}]*;|[a-z_][\w.>\-\[\]]*(?:\+\+|--);)",
                        re.M)
NUMBER = re.compile(r"(?<![\w.\"'])(0x[0-9a-fA-F]+|\d+)(?![\w.\"'])")
STRING = re.compile(r'"(?:\\.|[^"\\\n])*"')
LETTER = re.compile(r"(?<![%\\\w])[A-Za-z]{2,}")


def off_by_one(number):
    base = 16 if number.startswith("0x") else 10
    value = int(number, base)
    return [format(value + step, "#x" if base == 16 else "d") for step in (1, -1) if value + step >= 0]


def find(source, text):
    """Every mutant of a file, in a fixed order."""
    code = mask(text)
    found = []

    def add(kind, start, end, instead):
        line = text.count("\n", 0, start) + 1
        if not re.match(r"\s*(?:assert|_Static_assert)\b", text.splitlines()[line - 1]):
            found.append(Mutant(source, line, kind, start, end, instead))

    for kind, pattern, stands in CODE:
        for match in re.finditer(pattern, code):
            for instead in stands:
                if kind == "condition":
                    add_negation(text, code, match.start(1), add)
                else:
                    add(kind, match.start(1), match.end(1), instead)
    for kind, pattern in (("call removed", CALL), ("assignment removed", ASSIGNMENT)):
        for match in pattern.finditer(code):
            add(kind, match.start(1), match.end(1), ";")
    for match in NUMBER.finditer(code):
        for instead in off_by_one(match.group()):
            add("constant", match.start(), match.end(), instead)
    for match in STRING.finditer(mask(text, strings=False)):
        add_letter(text, match, add)
    return found


def add_negation(text, code, start, add):
    depth, end = 1, start + 1
    while depth > 0:
        depth += {"(": 1, ")": -1}.get(code[end], 0)
        end += 1
    add("condition", start, end, f"(!{text[start:end]})")


def add_letter(text, match, add):
    """Another letter in the middle word of a string."""
    if re.match(r"[ \t]*#[ \t]*include", text[text.rfind("\n", 0, match.start()) + 1:match.start()]):
        return
    words = list(LETTER.finditer(match.group()))
    if words:
        word = words[len(words) // 2]
        at = match.start() + word.start() + len(word.group()) // 2
        letter = text[at]
        add("letter", at, at + 1, ("x" if letter.islower() else "X") if letter not in "xX" else "y")
