// Holds manifests against the types of Kubernetes and of the Gateway API, as the TypeScript compiler knows
// them: no misspelt field, no wrong type. Then misspells every field in turn, and wants each to be noticed.
//
//   node types.mjs MANIFEST...
import fs from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import * as yaml from 'js-yaml';

const TYPES = {
  Deployment: 'Deployment as T from kubernetes-types/apps/v1',
  HTTPRoute: 'IHTTPRoute as T from @kubernetes-models/gateway-api/gateway.networking.k8s.io/v1/HTTPRoute',
  Ingress: 'Ingress as T from kubernetes-types/networking/v1',
  NetworkPolicy: 'NetworkPolicy as T from kubernetes-types/networking/v1',
  PodDisruptionBudget: 'PodDisruptionBudget as T from kubernetes-types/policy/v1',
  Service: 'Service as T from kubernetes-types/core/v1',
};
// Their keys are the user's own words.
const MAPS = new Set(['labels', 'annotations', 'matchLabels', 'limits', 'requests']);
const ROOT = path.join(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), 'node_modules');
let number = 0;
let failed = 0;

function report(what, fault) {
  number += 1;
  failed += fault ? 1 : 0;
  console.log(`${fault ? 'not ok' : 'ok'} ${number} - ${what}${fault ? `: ${fault}` : ''}`);
}

/** The document once for each field, which is misspelt. */
function* misspell(value, change = (copy) => copy) {
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries())
      yield* misspell(item, (copy) => change(Object.assign([...value], { [index]: copy })));
    return;
  }
  if (value === null || typeof value !== 'object') return;
  for (const key of Object.keys(value)) {
    const { [key]: own, ...others } = value;
    const selector = key === 'selector' && Object.keys(own).every((name) => name.includes('/'));
    yield [key, change({ ...others, [`${key}x`]: own })];
    if (!MAPS.has(key) && !selector) yield* misspell(own, (copy) => change({ ...value, [key]: copy }));
  }
}

/** What the compiler says of a source, as [line, text]. */
function compile(source) {
  const file = path.join(ROOT, `manifest-${process.pid}.ts`);
  fs.writeFileSync(file, source);
  try {
    const program = ts.createProgram([file], {
      noEmit: true, strict: true, skipLibCheck: true, module: ts.ModuleKind.CommonJS,
      moduleResolution: ts.ModuleResolutionKind.Node10, types: [],
    });
    return ts.getPreEmitDiagnostics(program).filter((found) => found.file?.fileName === file).map((found) => [
      found.file.getLineAndCharacterOfPosition(found.start).line,
      ts.flattenDiagnosticMessageText(found.messageText, ' ')]);
  } finally {
    fs.unlinkSync(file);
  }
}

function check(name, manifest) {
  const [type, module] = (TYPES[manifest.kind] ?? '').split(' from ');
  if (!module) return report(`${name}: ${manifest.kind}`, 'an unknown kind');
  const documents = [['', manifest], ...misspell(manifest)];
  const found = compile([`import type {${type}} from "${module}";`,
    ...documents.map(([, document], index) => `export const d${index}: T = ${JSON.stringify(document)};`)].join('\n'));
  const faults = new Map(found.reverse());
  report(`${name}: ${manifest.kind}`, faults.get(0) ?? faults.get(1));
  const missed = documents.filter((_, index) => index > 0 && !faults.has(index + 1)).map(([key]) => key);
  report(`${name}: ${manifest.kind}: each of ${documents.length - 1} misspelt fields is noticed`, missed.join(', '));
}

for (const name of process.argv.slice(2))
  for (const manifest of yaml.loadAll(fs.readFileSync(name, 'utf8'))) check(path.basename(name), manifest);
console.log(`${number - failed} passed, ${failed} failed`);
process.exitCode = failed || number === 0 ? 1 : 0;
