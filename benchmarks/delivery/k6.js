// Darkroom in imgproxy/image-servers-benchmark: compose.yml beside this file says how to run it.
// The settings are those of its k6.js: FORMAT, WIDTH, HEIGHT, DATASET_DIR; quality 80, WebP 75, AVIF 65.

import { check } from 'k6';
import crypto from 'k6/crypto';
import exec from 'k6/execution';
import http from 'k6/http';

const SITE = __ENV.SITE || 'http://darkroom:8000';
const DATASET = __ENV.DATASET_DIR || './dataset';
const FORMAT = __ENV.FORMAT || 'jpg';
const WIDTH = Number(__ENV.WIDTH || 512);
const HEIGHT = Number(__ENV.HEIGHT || 512);
const QUALITY = { jpg: 80, png: 80, webp: 75, avif: 65 }[FORMAT];
const KEY = 'k1';
const SECRET = 'a-secret-of-this-benchmark-alone'; // of DARKROOM_DELIVERY_KEYS

if (!QUALITY) throw `Unknown format ${FORMAT}`;

// Files can be opened only before the test begins.
const names = open(`${DATASET}/list.txt`).split(/\r?\n/).filter((name) => name.endsWith(`.${FORMAT}`));
const files = names.map((name) => http.file(open(`${DATASET}/${name}`, 'b'), name));

export const options = {
  discardResponseBodies: true,
  vus: 2,
  setupTimeout: '10m',
};

const JSON_BODY = { 'Content-Type': 'application/json' };

function json(method, path, body, headers) {
  const options = { headers: Object.assign({}, JSON_BODY, headers), responseType: 'text' };
  const answer = http.request(method, SITE + path, JSON.stringify(body), options);
  if (answer.status >= 300) throw `${method} ${path}: ${answer.status} ${answer.body}`;
  return answer.json();
}

function login() {
  const name = `bench${Date.now()}`;
  const account = { username: name, email: `${name}@example.org`, password: 'correct horse battery' };
  json('POST', '/accounts/register', account, {});
  const tokens = json('POST', '/accounts/login', { username: name, password: account.password }, {});
  return { Authorization: `Bearer ${tokens.access_token}` };
}

function upload(file, headers) {
  const answer = http.post(`${SITE}/api/images`, { image: file }, { headers, responseType: 'text' });
  if (answer.status !== 201) throw `upload: ${answer.status} ${answer.body}`;
  return answer.json().id;
}

function signed(path) {
  return `${SITE}/t/${KEY}.${crypto.hmac('sha256', SECRET, path, 'base64rawurl')}${path}`;
}

// Store the photographs and a preset whose results are not kept; return the addresses.
export function setup() {
  const headers = login();
  const format = FORMAT === 'jpg' ? 'jpeg' : FORMAT;
  const operations = [
    { op: 'resize', width: WIDTH, height: HEIGHT, fit: 'inside' },
    FORMAT === 'png' ? { op: 'convert', format } : { op: 'convert', format, quality: QUALITY },
  ];
  json('PUT', '/api/presets/bench', { operations, cache: false }, headers);
  return { urls: files.map((file) => signed(`/bench/${upload(file, headers)}`)) };
}

export default function (data) {
  const url = data.urls[exec.scenario.iterationInTest % data.urls.length];
  check(http.get(url), { 'is status 200': (answer) => answer.status === 200 });
}
