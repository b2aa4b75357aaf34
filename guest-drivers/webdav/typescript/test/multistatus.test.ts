import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DriverError, Failed, Unauthorized } from 'cofferdam-driver';
import { type Found, MultistatusReader } from '../src/multistatus.ts';

function all(document: string, pieces = 16): [string, Found][] {
  const found: [string, Found][] = [];
  const reader = new MultistatusReader('list it', (path, told) => found.push([path, told]));
  const bytes = new TextEncoder().encode(document);
  for (let at = 0; at < bytes.length; at += pieces) reader.read(bytes.subarray(at, at + pieces));
  reader.finish();
  return found;
}

function response(inside: string): string {
  return `<D:multistatus xmlns:D="DAV:"><D:response>${inside}</D:response></D:multistatus>`;
}

const COLLECTION =
  '<D:href>/b/c/</D:href>\n<D:propstat><D:prop><lp1:resourcetype><D:collection/></lp1:resourcetype></D:prop>' +
  '<D:status>HTTP/1.1 200 OK</D:status></D:propstat><D:propstat><D:prop><g0:getcontentlength/></D:prop>' +
  '<D:status>HTTP/1.1 404 Not Found</D:status></D:propstat>';
const FILE =
  "<href a='>' b = \"x\">http://h:1/b/c/a&amp;b&#233;</href><propstat><prop><getcontentlength>7</getcontentlength>" +
  '<resourcetype/></prop><status>HTTP/1.1 200 OK</status></propstat>';

test('collections and resources are told apart, however the answer is cut', () => {
  const document =
    '<?xml version="1.0"?>\n<!-- é --><m:multistatus>' +
    `<r:response>${COLLECTION}</r:response>\n<response>${FILE}</response></m:multistatus>\n`;
  const expected = [
    ['/b/c/', 'collection'],
    ['/b/c/a&bé', 7n],
  ];
  for (const pieces of [1, 2, 3, 16, 1000]) assert.deepEqual(all(document, pieces), expected);
  assert.deepEqual(all('<multistatus/>'), []);
});

test('what went meanwhile is nothing', () => {
  const gone = response('<href>/b/x</href><status>HTTP/1.1 404 Not Found</status>');
  assert.deepEqual(all(gone), [['/b/x', 'nothing']]);
});

test('a listing that is not whole is an error', () => {
  const whole = response(FILE);
  for (let end = 0; end < whole.length; end++) assert.throws(() => all(whole.slice(0, end)), Failed, `${end}`);
  all(whole);
});

test('a resource of which too little is told is an error', () => {
  for (const inside of [
    '',
    '<href>/x</href>',
    FILE.replace('<resourcetype/>', ''),
    FILE.replace('<getcontentlength>7</getcontentlength>', ''),
    FILE.replace('7', '-7'),
    FILE.replace('200 OK', '500 Oh'),
    FILE.replace('<status>HTTP/1.1 200 OK</status>', ''),
    '<href>/x</href><status>HTTP/1.1 200 OK</status>',
  ]) {
    assert.throws(() => all(response(inside)), DriverError, inside);
  }
  const forbidden = response('<href>/x</href><status>HTTP/1.1 403 Forbidden</status>');
  assert.throws(() => all(forbidden), Unauthorized);
});

test('what is no plain multistatus is refused', () => {
  for (const wrong of [
    '<html>maintenance</html>',
    'text',
    '<!DOCTYPE a [<!ENTITY x "y">]><multistatus/>',
    '<multistatus><response><href>&x;</href></response></multistatus>',
    '<multistatus><response><href>a & b</href></response></multistatus>',
    `<multistatus>${'<a>'.repeat(17)}${'</a>'.repeat(17)}</multistatus>`,
    '<multistatus><a></b></multistatus>',
    '<multistatus></multistatus><multistatus/>',
    '<multistatus/>text',
    '<multistatus',
    '<multistatus / >',
    response(`<href>${'x'.repeat(2 << 20)}</href>`),
  ]) {
    assert.throws(() => all(wrong, 65536), Failed, wrong.slice(0, 100));
  }
});

test('a long listing is read within its rations', () => {
  const document = `<multistatus>${`<response>${FILE}</response>`.repeat(20_000)}</multistatus>`;
  assert.equal(all(document, 65536).length, 20_000);
});
