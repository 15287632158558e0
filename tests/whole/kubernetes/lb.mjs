// A load balancer that is LAG ms late in learning of endpoints: a new connection for each request, no retry.
// For SECONDS it asks the endpoints of the Service, and prints how often it got what, as its last line.
//
//   API=https://HOST:PORT TOKEN=... node lb.mjs LAG SECONDS
import http from 'node:http';
import https from 'node:https';

const [LAG, SECONDS] = process.argv.slice(2).map(Number);
const end = Date.now() + SECONDS * 1000;
const counts = {};
let endpoints = [];

/** The endpoints that are ready now, as the API server says. */
function learn() {
  const url = `${process.env.API}/api/v1/namespaces/oauth/endpoints/recall-redirectd`;
  https.get(url, { headers: { authorization: `Bearer ${process.env.TOKEN}` }, rejectUnauthorized: false }, (answer) => {
    let text = '';
    answer.on('data', (data) => { text += data; });
    answer.on('end', () => {
      const found = (JSON.parse(text).subsets ?? []).flatMap((subset) =>
        (subset.addresses ?? []).map((address) => [address.ip, subset.ports[0].port]));
      setTimeout(() => { endpoints = found; }, LAG);
      if (Date.now() < end) setTimeout(learn, 200);
    });
  }).on('error', () => setTimeout(learn, 500));
}

function count(what) {
  counts[what] = (counts[what] ?? 0) + 1;
  setTimeout(ask, 4);
}

function ask() {
  if (Date.now() > end) return;
  if (endpoints.length === 0) {
    setTimeout(ask, 50);
    return;
  }
  const [host, port] = endpoints[Math.floor(Math.random() * endpoints.length)];
  const path = '/api/ms_oauth_callback?code=x&state=y';
  const request = http.get({ host, port, path, agent: false, timeout: 5000 }, (answer) => {
    answer.resume();
    answer.on('end', () => count(answer.statusCode));
  });
  request.on('error', (error) => count(error.code ?? error.message));
  request.on('timeout', () => request.destroy(new Error('timeout')));
}

learn();
setTimeout(() => { ask(); ask(); }, LAG + 500);
setTimeout(() => { console.log(JSON.stringify(counts)); process.exit(); }, (SECONDS + 2) * 1000);
