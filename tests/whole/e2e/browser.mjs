// Chromium, for which every host of the story is on loopback and nothing else exists.
import { chromium } from "playwright-core";

const FLAGS = [
  "--no-sandbox",
  "--disable-quic",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

// ports: host -> port
export function openBrowser(home, ports) {
  const maps = Object.entries(ports).map(([host, port]) => `MAP ${host}:443 127.0.0.1:${port}`);
  return chromium.launch({
    executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
    env: { ...process.env, HOME: home },
    args: [
      ...FLAGS,
      `--host-resolver-rules=${[...maps, "MAP * ~NOTFOUND", "EXCLUDE 127.0.0.1"].join(", ")}`,
    ],
  });
}
