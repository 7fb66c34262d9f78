import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { fingerprint, judgeHostKey, knownHostsLine, knownKeyTypes, parseKnownHosts } from '../../activities/adapters/known-hosts.js';
import { hostKeyAlgorithms } from '../../activities/adapters/ssh-connection.js';

/** A key of that type; the rest of its bytes tell keys apart. */
function aKey(type: string, rest = 'x'): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(type.length);
  return Buffer.concat([length, Buffer.from(type), Buffer.from(rest)]);
}
const text = (names: string, key: Buffer, type = key.toString('latin1', 4, 4 + key.readUInt32BE(0))) => `${names} ${type} ${key.toString('base64')}`;
const hashed = (name: string) => {
  const salt = Buffer.from('twenty bytes of salt');
  return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`;
};

const ED = aKey('ssh-ed25519');
const ED2 = aKey('ssh-ed25519', 'y');
const RSA = aKey('ssh-rsa');

describe('known_hosts', () => {
  const table: [what: string, lines: string[], host: string, port: number, key: Buffer, verdict: string][] = [
    ['a plain name', [text('n1', ED)], 'n1', 22, ED, 'trusted 1'],
    ['another host', [text('n2', ED)], 'n1', 22, ED, 'unknown'],
    ['an empty file', [], 'n1', 22, ED, 'unknown'],
    ['another key of the type', [text('n1', ED)], 'n1', 22, ED2, 'changed 1'],
    ['a type that is not recorded', [text('n1', RSA)], 'n1', 22, ED, 'changed 1'],
    ['several keys for a host', [text('n1', ED2), text('n1', RSA), text('n1', ED)], 'n1', 22, ED, 'trusted 3'],
    ['the line of the same type is named', [text('n1', RSA), text('n1', ED)], 'n1', 22, ED2, 'changed 2'],
    ['a list of names', [text('a,10.0.0.1,n1', ED)], '10.0.0.1', 22, ED, 'trusted 1'],
    ['names in any case', [text('Node1.Example', ED)], 'node1.EXAMPLE', 22, ED, 'trusted 1'],
    ['a hashed name', ['# comment', '', text(hashed('n1'), ED)], 'n1', 22, ED, 'trusted 3'],
    ['a hashed name of another host', [text(hashed('n2'), ED)], 'n1', 22, ED, 'unknown'],
    ['a hashed name with its port', [text(hashed('[n1]:2222'), ED)], 'n1', 2222, ED, 'trusted 1'],
    ['a port', [text('[n1]:2222', ED)], 'n1', 2222, ED, 'trusted 1'],
    ['another port', [text('[n1]:2222', ED)], 'n1', 2223, ED, 'unknown'],
    ['a port line does not vouch for port 22', [text('[n1]:2222', ED)], 'n1', 22, ED, 'unknown'],
    ['the plain line vouches where the port has none', [text('n1', ED)], 'n1', 2222, ED, 'trusted 1'],
    ['the plain line with another key makes the port unknown', [text('n1', ED)], 'n1', 2222, ED2, 'unknown'],
    ['the port\'s own line comes before the plain one', [text('n1', ED), text('[n1]:2222', ED2)], 'n1', 2222, ED, 'changed 2'],
    ['a wildcard', [text('*.example', ED)], 'n1.example', 22, ED, 'trusted 1'],
    ['a wildcard for a port', [text('[10.0.0.*]:22??', ED)], '10.0.0.7', 2222, ED, 'trusted 1'],
    ['one character', [text('n?', ED)], 'n1', 22, ED, 'trusted 1'],
    ['no regular expressions', [text('n.', ED)], 'n1', 22, ED, 'unknown'],
    ['a negation before', [text('!n1.example,*.example', ED)], 'n1.example', 22, ED, 'unknown'],
    ['a negation behind', [text('*.example,!n1.example', ED)], 'n1.example', 22, ED, 'unknown'],
    ['a negation alone', [text('!n2', ED)], 'n1', 22, ED, 'unknown'],
    ['revoked', [`@revoked ${text('*', ED)}`, text('n1', ED)], 'n1', 22, ED, 'revoked 1'],
    ['revoked for a port through the plain name', [`@revoked ${text('n1', ED)}`, text('[n1]:2222', ED)], 'n1', 2222, ED, 'revoked 1'],
    ['another key is revoked', [`@revoked ${text('n1', ED2)}`, text('n1', ED)], 'n1', 22, ED, 'trusted 2'],
    ['a revoked line alone makes a host not known', [`@revoked ${text('n1', ED2)}`], 'n1', 22, ED, 'unknown'],
    ['a CA\'s key is no host key', [`@cert-authority ${text('n1', ED)}`], 'n1', 22, ED, 'unknown'],
    ['an unknown marker', [`@other ${text('n1', ED)}`], 'n1', 22, ED, 'unknown'],
    ['a line that contradicts itself', [text('n1', ED, 'ssh-rsa')], 'n1', 22, ED, 'unknown'],
    ['broken lines', ['n1', 'n1 ssh-ed25519', 'n1 ssh-ed25519 !!!', '|1|x', text('n1', ED)], 'n1', 22, ED, 'trusted 5'],
    ['comments behind, tabs, CRLF', [`n1\tssh-ed25519\t${ED.toString('base64')} root@n1\r`], 'n1', 22, ED, 'trusted 1'],
  ];
  for (const [what, lines, host, port, key, expected] of table) {
    it(what, () => {
      const verdict = judgeHostKey(parseKnownHosts(lines.join('\n')), host, port, key);
      assert.equal('line' in verdict ? `${verdict.verdict} ${verdict.line}` : verdict.verdict, expected);
    });
  }

  it('the types that are known decide what is asked for first', () => {
    const lines = parseKnownHosts([text('n1', RSA), text('n1', aKey('ecdsa-sha2-nistp256')), text('[n1]:2222', ED), `@revoked ${text('n1', ED2)}`].join('\n'));
    assert.deepEqual(knownKeyTypes(lines, 'n1', 22), ['ssh-rsa', 'ecdsa-sha2-nistp256']);
    assert.deepEqual(knownKeyTypes(lines, 'n1', 2222), ['ssh-ed25519']);
    assert.deepEqual(knownKeyTypes(lines, 'n1', 2223), ['ssh-rsa', 'ecdsa-sha2-nistp256']);
    assert.deepEqual(hostKeyAlgorithms(['ssh-rsa']), ['rsa-sha2-512', 'rsa-sha2-256', 'ssh-ed25519', 'ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521']);
    assert.equal(hostKeyAlgorithms([])[0], 'ssh-ed25519');
  });

  it('fingerprints as ssh-keygen prints them, and lines as it reads them', () => {
    const key = Buffer.from('AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl', 'base64');
    assert.equal(fingerprint(key), 'SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU');
    assert.equal(knownHostsLine('N1', 2222, key), '[n1]:2222 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl');
    assert.match(knownHostsLine('n1', 22, key), /^n1 ssh-ed25519 /);
  });
});
