import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InvalidConfiguration, Settings, Unsupported, http } from 'cofferdam-driver';
import { readConfig } from '../src/config.ts';
import { Dav, below, checkContainer } from '../src/dav.ts';

function dav(root: string): Dav {
  const url = http.Url.parse(root);
  assert.ok(typeof url !== 'string', url as string);
  return new Dav(url, undefined);
}

test('names are one encoded segment each', () => {
  for (const root of ['http://h:8080/dav', 'http://h:8080/dav/']) {
    assert.equal(dav(root).root().path, '/dav/');
    assert.equal(dav(root).container('a b').path, '/dav/a%20b/');
    assert.equal(dav(root).object({ container: 'c', name: 'é%2F#?;' }).path, '/dav/c/%C3%A9%252F%23%3F%3B');
  }
  assert.equal(dav('http://h').root().path, '/');
});

test('what is told is placed by its decoded path', () => {
  for (const [collection, path, rest] of [
    ['/dav/c/', '/dav/c/', ''],
    ['/dav/c/', '/dav/c', ''],
    ['/dav/c/', '/dav/c/x%20%c3%a9', 'x é'],
    ['/dav/%63/', '/dav/c/d/', 'd'],
    ['/dav/c/', '/dav/c/d/e', 'd/e'],
    ['/dav/c/', '/dav/cc', undefined],
    ['/dav/c/', '/other/c/x', undefined],
    ['/dav/c/', '/dav/c/%ff', undefined],
    ['/', '/x', 'x'],
    ['/', '/', ''],
  ] as const) {
    assert.equal(below(collection, path), rest, `${collection} ${path}`);
  }
});

test('a container is one segment', () => {
  for (const good of ['volumebackups', 'a b', 'é', '%2e%2e']) checkContainer(good);
  for (const wrong of ['', '.', '..', 'a/b', '/a', 'a/', '.cofferdam-x', 'a\nb', 'x'.repeat(256)]) {
    assert.throws(() => checkContainer(wrong), Unsupported, wrong);
  }
});

test('a wrong setting is named', () => {
  const url: [string, string] = ['webdav_url', 'http://h/dav'];
  assert.equal(readConfig(new Settings([url])).container, 'volumebackups');
  const cases: [[string, string][], string][] = [
    [[], 'webdav_url'],
    [[['webdav_url', 'h']], 'webdav_url'],
    [[['webdav_url', 'http://h/?x']], 'webdav_url'],
    [[url, ['webdav_container', '']], 'webdav_container'],
    [[url, ['webdav_container', 'a/b']], 'webdav_container'],
    [[url, ['webdav_user', 'u']], 'webdav_password'],
    [[url, ['webdav_password', 'webdav_password']], 'webdav_user'],
    [[url, ['webdav_user', 'u'.repeat(1024)], ['webdav_password', 'webdav_password']], 'webdav_user'],
    [[url, ['webdav_user', 'u:v'], ['webdav_password', 'webdav_password']], 'webdav_user'],
  ];
  for (const [settings, option] of cases) {
    assert.throws(
      () => readConfig(new Settings(settings)),
      (thrown: unknown) => thrown instanceof InvalidConfiguration && thrown.option === option,
      option,
    );
  }
});
