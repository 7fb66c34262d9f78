import assert from 'node:assert/strict';
import { compareVersions, formatVersion, minorOf, minorsAhead, parseMinor, parseVersion, type Version } from '../../domain/version.js';

const version = (text: string): Version => parseVersion(text) ?? assert.fail(text);

describe('versions', () => {
  const READ: readonly (readonly [text: string, version: string | undefined])[] = [
    ['1.36.3', '1.36.3'], ['v1.36.3', '1.36.3'], [' v1.36.3\n', '1.36.3'], ['1.37.0-rc.0', '1.37.0-rc.0'], ['v1.37.0-alpha.1.12+abcdef', '1.37.0-alpha.1.12'],
    ['v1.36.3+k3s1', '1.36.3'], ['3.6.8-0', '3.6.8-0'], ['1.37', undefined], ['1', undefined], ['', undefined], ['1.36.x', undefined], ['v1.36.3 extra', undefined], ['01a.2.3', undefined],
  ];
  for (const [text, wanted] of READ) {
    it(`${JSON.stringify(text)} is ${wanted ?? 'no version'}`, () => {
      const parsed = parseVersion(text);
      assert.equal(parsed && formatVersion(parsed), wanted);
    });
  }

  it('reads minors apart from full versions', () => {
    assert.deepEqual(parseMinor('1.37'), { major: 1, minor: 37 });
    assert.deepEqual(parseMinor('v1.37'), { major: 1, minor: 37 });
    assert.equal(parseMinor('1.37.2'), undefined);
    assert.equal(minorOf(version('1.37.2')), '1.37');
  });

  it('sorts pre-releases before their release, as semver.org item 11 does', () => {
    const sorted = ['1.9.11', '1.10.0', '1.37.0-alpha', '1.37.0-alpha.1', '1.37.0-alpha.beta', '1.37.0-beta', '1.37.0-beta.2', '1.37.0-beta.11', '1.37.0-rc.0', '1.37.0', '1.37.1', '2.0.0'];
    const shuffled = [...sorted].reverse().map(version).sort(compareVersions).map(formatVersion);
    assert.deepEqual(shuffled, sorted);
  });

  it('counts minors within one major only', () => {
    assert.equal(minorsAhead(version('1.37.0'), version('1.35.9')), 2);
    assert.equal(minorsAhead(version('1.35.0'), version('1.37.0')), -2);
    assert.ok(Number.isNaN(minorsAhead(version('2.0.0'), version('1.37.0'))));
  });
});
