// The SDK's rules that need no host. The rest is the conformance kit's, against a driver that is built with it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  DriverError,
  InvalidConfiguration,
  Picker,
  Settings,
  Throttled,
  Unsupported,
  byBytes,
  byteLength,
  http,
  names,
} from 'cofferdam-driver';

function headers(fields: Record<string, string>): http.Headers {
  const encoder = new TextEncoder();
  return new http.Headers(Object.entries(fields).map(([name, value]) => [name, encoder.encode(value)]));
}

test('names are ordered and measured by their bytes', () => {
  const ordered = ['Z', 'a', 'a-', 'é', '\uffff', '\u{10000}'];
  assert.deepEqual([...ordered].reverse().sort(byBytes), ordered);
  for (const text of ['', 'a', 'é', '日', '\u{1f600}']) assert.equal(byteLength(text), Buffer.byteLength(text));
});

test('names that leave the root or are kept are refused', () => {
  for (const name of ['volume_1_backup_2-00001', '.hidden', 'déjà vu', 'x'.repeat(255), 'a.cofferdam-part']) {
    names.checkObject(name);
  }
  for (const path of ['', '/', '/etc', '.', '..', '../x', 'a/..', 'a/./b', 'a//b', 'a/', 'a\0b', 'a\nb', '\u0085']) {
    assert.throws(() => names.checkFolder(path), Unsupported, path);
    assert.throws(() => names.checkObject(path), Unsupported, path);
  }
  for (const name of ['a/b', 'x'.repeat(256), 'é'.repeat(128), names.part('a'), names.kept('a')]) {
    assert.throws(() => names.checkObject(name), Unsupported, name);
  }
});

test('hidden names are those of the other languages', () => {
  assert.equal(names.part('data-00001'), '.data-00001.cofferdam-part');
  assert.equal(names.part(`${'x'.repeat(254)}1`), '.dff61f324c9966e4.cofferdam-part');
});

test('an error names the option and never the value', () => {
  const settings = new Settings([
    ['token', 'secret'],
    ['empty', ''],
    ['negative', -1n],
  ]);
  const calls: [() => unknown, string][] = [
    [() => settings.integer('token'), 'token'],
    [() => settings.size('negative'), 'negative'],
    [() => settings.requiredText('empty'), 'empty'],
    [() => settings.requiredText('gone'), 'gone'],
    [() => settings.requiredUrl('token'), 'token'],
  ];
  for (const [call, option] of calls) {
    assert.throws(call, (thrown: unknown) => {
      return thrown instanceof InvalidConfiguration && thrown.option === option && !thrown.message.includes('secret');
    });
  }
  assert.equal(settings.text('absent'), undefined);
});

test('pages follow one another without gap or repetition', () => {
  const pick = (after: string | undefined, limit: number) => {
    const picker = new Picker<undefined>('b', after, limit);
    for (const name of ['b-3', 'a', 'b-1', 'b', 'c', 'b-2', 'b-10']) picker.take(name, undefined);
    const { taken, more } = picker.finish();
    return [taken.map(([name]) => name), more];
  };
  assert.deepEqual(pick(undefined, 2), [['b', 'b-1'], true]);
  assert.deepEqual(pick('b-1', 2), [['b-10', 'b-2'], true]);
  assert.deepEqual(pick('b-2', 2), [['b-3'], false]);
});

test('an address is taken apart, or refused without being shown', () => {
  const url = http.Url.parse('HTTPS://S3.Example.org:9000/base/?a=b') as http.Url;
  assert.equal(url.authority, 's3.example.org:9000');
  assert.equal(url.pathAndQuery, '/base/?a=b');
  assert.equal(url.join('/k').pathAndQuery, '/base/k');
  assert.equal((http.Url.parse('http://[::1]:80') as http.Url).authority, '[::1]');
  for (const wrong of [
    '', 'host', 'ftp://h', 'http://', 'http:///p', 'http://u:secret@h/', 'http://h:0/', 'http://h:65536/', 'http://h:+1/',
    'http://h:/', 'http://h h/', 'http://h/#f', 'http://h\n/', 'http://[::g]/', 'http://a..b/', 'http://é/',
  ]) {
    const reason = http.Url.parse(wrong);
    assert.ok(typeof reason === 'string' && !reason.includes('secret'), wrong);
  }
});

test('only unreserved characters stay as they are', () => {
  assert.equal(http.percent('aZ09-._~ /+%é'), 'aZ09-._~%20%2F%2B%25%C3%A9');
  for (const text of ['a b', 'ü/+%', '', '100%']) assert.equal(http.percentDecode(http.percent(text)), text);
  assert.equal(http.percentDecode('%ff'), undefined);
  assert.equal(http.shown(' Access\r\n\u0007Denied\t '), 'Access Denied');
});

test('only the range that was asked is believed', () => {
  const range = { offset: 5n, length: 5n };
  assert.equal(http.ranges.header(range), 'bytes=5-9');
  assert.equal(http.ranges.header({ offset: 0xffff_ffff_ffff_ffffn, length: 9n }), 'bytes=18446744073709551615-');
  const whole = headers({ 'content-length': '5', 'content-range': 'bytes 5-9/100' });
  assert.equal(http.ranges.length(206, whole, range), 5n);
  assert.equal(http.ranges.length(416, headers({}), { offset: 10n }), 0n);
  assert.equal(http.ranges.length(200, headers({ 'content-length': '7' }), { offset: 0n, length: 5n }), 5n);
  for (const [status, length, told] of [
    [200, '100', ''],
    [206, '5', ''],
    [206, '5', 'bytes 4-8/100'],
    [206, '4', 'bytes 5-8/100'],
    [206, '9', 'bytes 5-9/100'],
    [206, '5', 'bytes 9-5/100'],
    [206, '5', 'bytes 5-9/9'],
    [204, '0', ''],
  ] as const) {
    const found = http.ranges.length(status, headers({ 'content-length': length, 'content-range': told }), range);
    assert.equal(typeof found, 'string', told);
  }
});

test('each status has its error, and a pause is read in both forms and capped', () => {
  const kinds = { 401: 'unauthorized', 404: 'not-found', 507: 'out-of-space', 429: 'throttled', 503: 'unavailable', 400: 'failed' };
  for (const [status, kind] of Object.entries(kinds)) {
    const error: DriverError = http.status.error(Number(status), headers({}), 'put it');
    assert.equal(error.toContract().tag, kind);
  }
  for (const [asked, pause] of [
    ['7', 7000],
    ['Sun, 06 Nov 1994 08:49:47 GMT', 10_000],
    ['9'.repeat(30), 3_600_000],
    ['-1', undefined],
    ['soon', undefined],
  ] as const) {
    const error = http.status.error(503, headers({ 'retry-after': asked }), 'put it', '', () => 784_111_777);
    assert.ok(error instanceof Throttled && error.retryAfter === pause, asked);
  }
});
