// A throw-away authority, its certificates, and a home folder whose Chromium trusts it.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";

const KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];

function run(command, ...args) {
  execFileSync(command, args, { stdio: ["ignore", "ignore", "pipe"] });
}

export function makeAuthority(dir, name) {
  const [pem, key] = [`${dir}/${name}.pem`, `${dir}/${name}.key`];
  run(
    "openssl",
    "req",
    "-x509",
    ...KEY,
    "-subj",
    `/CN=${name} of a test`,
    "-keyout",
    key,
    "-out",
    pem,
  );
  return { pem, key };
}

export function makeCertificate(dir, authority, host) {
  const [pem, key] = [`${dir}/${host}.pem`, `${dir}/${host}.key`];
  run(
    "openssl",
    "req",
    "-x509",
    ...KEY,
    "-CA",
    authority.pem,
    "-CAkey",
    authority.key,
    "-subj",
    `/CN=${host}`,
    "-addext",
    `subjectAltName=DNS:${host}`,
    "-addext",
    "basicConstraints=critical,CA:FALSE",
    "-addext",
    "extendedKeyUsage=serverAuth",
    "-keyout",
    key,
    "-out",
    pem,
  );
  return { pem, key };
}

export function readPair({ pem, key }) {
  return { cert: readFileSync(pem), key: readFileSync(key) };
}

export function makeTrustingHome(dir, authority) {
  const home = `${dir}/home`;
  const database = `${home}/.pki/nssdb`;
  mkdirSync(database, { recursive: true });
  run("certutil", "-d", `sql:${database}`, "-N", "--empty-password");
  run("certutil", "-d", `sql:${database}`, "-A", "-t", "C,,", "-n", "test", "-i", authority.pem);
  return home;
}
