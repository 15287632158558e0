// Plays hosts: each is a https server on loopback with a certificate of its own.
import { once } from "node:events";
import https from "node:https";
import { makeCertificate, readPair } from "./certificates.mjs";

export class Hosts {
  constructor(dir) {
    this.dir = dir;
    this.ports = {};
    this.servers = [];
  }

  async play(host, authority, handle) {
    const answer = async (request, response) => {
      try {
        await handle(request, response);
      } catch (error) {
        show(response, "Internal error", escape(`${host}: ${error.message}`), 500);
      }
    };
    const server = https.createServer(readPair(makeCertificate(this.dir, authority, host)), answer);
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    this.ports[host] = server.address().port;
    this.servers.push(server);
  }

  // From server to server: a form, answered with JSON.
  async post(authority, url, form) {
    const { host, pathname } = new URL(url);
    const options = {
      host: "127.0.0.1",
      port: this.ports[host],
      servername: host,
      ca: readPair(authority).cert,
      method: "POST",
      path: pathname,
      headers: { Host: host, "Content-Type": "application/x-www-form-urlencoded" },
    };
    const request = https.request(options).end(new URLSearchParams(form).toString());
    const [response] = await once(request, "response");
    return { status: response.statusCode, body: JSON.parse(await readAll(response)) };
  }

  close() {
    for (const server of this.servers) {
      server.closeAllConnections();
      server.close();
    }
  }
}

export async function readAll(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

export async function readForm(request) {
  return new URLSearchParams(await readAll(request));
}

export function escape(text) {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

export function show(response, title, body, status = 200) {
  response.writeHead(status, {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
  });
  response.end(`<!DOCTYPE html><html lang="en"><title>${title}</title><h1>${title}</h1>${body}`);
}

export function redirect(response, url) {
  response.writeHead(302, { Location: url, "Content-Length": 0 });
  response.end();
}
