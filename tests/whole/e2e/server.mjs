// Runs recall-redirectd, and nginx before it where asked, and reads their logs.
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import net from "node:net";
import readline from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { CONFIG } from "./names.mjs";

const children = [];
process.on("exit", () => children.forEach((child) => child.kill()));

export async function until(what, look) {
  for (let i = 0; i < 600; i += 1) {
    const found = await look();
    if (found) return found;
    await sleep(50);
  }
  throw new Error(`waited in vain for ${what}`);
}

function ownEnvironment() {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith("REDIRECTD_")),
  );
}

export class Server {
  text = ""; // all of its log
  lines = []; // what has not been taken yet
  overrides = {};

  constructor(dir, pair) {
    this.file = `${dir}/config.json`;
    this.options = ["--listen.address=127.0.0.1", "--listen.port=0", "--admin.port=0"];
    if (pair) this.options.push(`--tls.certificate=${pair.pem}`, `--tls.private_key=${pair.key}`);
  }

  write() {
    writeFileSync(this.file, JSON.stringify({ ...CONFIG, ...this.overrides }));
  }

  async start() {
    this.write();
    this.child = spawn(process.env.PROGRAM, ["-c", this.file, ...this.options], {
      env: ownEnvironment(),
      stdio: ["ignore", "ignore", "pipe"],
    });
    children.push(this.child);
    readline.createInterface(this.child.stderr).on("line", (line) => {
      this.text += `${line}\n`;
      this.lines.push(JSON.parse(line));
    });
    this.port = (await this.take((line) => line.event === "listening")).port;
    return this;
  }

  // The next line of the log that is meant; those before it are gone.
  take(isMeant) {
    return until(`a line of the log: ${isMeant}`, () => {
      const at = this.lines.findIndex(isMeant);
      return at >= 0 && this.lines.splice(0, at + 1).at(-1);
    });
  }

  takeRequest(route) {
    return this.take((line) => line.event === "request" && line.route === route);
  }

  // Set these keys and no others, by a reload.
  async configure(overrides) {
    this.overrides = overrides;
    this.write();
    this.child.kill("SIGHUP");
    await this.take((line) => line.event === "reloaded");
  }
}

export async function freePort() {
  const server = net.createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function canConnect(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, "127.0.0.1");
    socket.on("connect", () => resolve(true)).on("error", () => resolve(false));
    socket.on("connect", () => socket.destroy());
  });
}

// config/nginx.conf with this machine's ports and paths.
export async function startNginx(dir, pair, serverPort) {
  const port = await freePort();
  mkdirSync(`${dir}/logs`);
  const site = readFileSync(new URL("../../../config/nginx.conf", import.meta.url), "utf8")
    .replace("127.0.0.1:8080", `127.0.0.1:${serverPort}`)
    .replace("listen 443 ssl", `listen 127.0.0.1:${port} ssl`)
    .replace("/etc/nginx/tls/oauth.example.com.pem", pair.pem)
    .replace("/etc/nginx/tls/oauth.example.com.key", pair.key)
    .replaceAll("/var/log/nginx", `${dir}/logs`);
  const temps = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (what) => `${what}_temp_path ${dir}/${what};`,
  );
  writeFileSync(
    `${dir}/nginx.conf`,
    `${process.getuid() === 0 ? "user root;" : ""} pid ${dir}/nginx.pid; events {}
http { access_log ${dir}/logs/other.log; ${temps.join(" ")} ${site} }`,
  );
  children.push(
    spawn("nginx", ["-e", `${dir}/logs/main.log`, "-c", `${dir}/nginx.conf`, "-g", "daemon off;"], {
      stdio: "inherit",
      env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` },
    }),
  );
  await until("nginx", () => canConnect(port));
  return port;
}
