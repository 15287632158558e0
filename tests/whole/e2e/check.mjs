// Counts what holds and what does not, and says it line by line.
let passed = 0;
let failed = 0;

export function is(what, saw, wanted) {
  const [left, right] = [JSON.stringify(saw), JSON.stringify(wanted)];
  if (left === right) {
    passed += 1;
    console.log(`ok ${passed + failed} - ${what}`);
  } else {
    failed += 1;
    console.log(`not ok ${passed + failed} - ${what} (saw ${left}, wanted ${right})`);
  }
}

// A story that breaks off is one failure; the others go on.
export async function story(what, tell) {
  try {
    await tell();
  } catch (error) {
    is(`${what}: to its end`, error.message, "no error");
  }
}

export function sum() {
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0;
}
