import { describe, expect, it } from 'vitest';
import {
  assertSigningKey,
  type Signer,
  signDownload,
  signUpload,
  verifySignature,
} from '../../../core/storage/signed-access.ts';

const NOW = new Date('2026-03-01T06:00:00.400Z');
const SIGNER: Signer = { baseUrl: 'http://local', signingKey: 'k'.repeat(16), now: () => NOW };

const later = (seconds: number) => new Date(NOW.getTime() + seconds * 1000);
const verify = (parameters: Readonly<Record<string, string>>, now = NOW, signingKey = SIGNER.signingKey) =>
  verifySignature(parameters, { signingKey, now });
const queryOf = (url: string) => Object.fromEntries(new URL(url).searchParams);

const download = queryOf(signDownload(SIGNER, 'a/ü &b', { seconds: 60, filename: 'b=1&.txt' }));
const upload = signUpload(SIGNER, 'a/b', { seconds: 60, maxBytes: 9, contentType: 'text/csv' });

describe('a signed URL', () => {
  it('allows to read its key under its name', () => {
    expect(verify(download)).toEqual({ action: 'download', key: 'a/ü &b', filename: 'b=1&.txt' });
  });

  it('has a name only if it was given one', () => {
    const plain = queryOf(signDownload(SIGNER, 'a', { seconds: 60 }));
    expect(verify(plain)).toEqual({ action: 'download', key: 'a' });
    expect(verify({ ...plain, filename: '' })).toBeNull();
  });
});

describe('a signed form', () => {
  it('allows to write its key, up to its size and of its type', () => {
    expect(upload.url).toBe('http://local/upload');
    expect(verify(upload.fields)).toEqual({
      action: 'upload',
      key: 'a/b',
      maxBytes: 9,
      contentType: 'text/csv',
    });
  });

  it('may hold other fields, as browsers add them', () => {
    expect(verify({ ...upload.fields, submit: 'Send' })).not.toBeNull();
  });
});

describe('a signature', () => {
  it('holds for its time, and not a second more', () => {
    expect(verify(download, later(60))).not.toBeNull();
    expect(verify(download, later(62))).toBeNull();
  });

  it.each(['action', 'key', 'expires', 'filename', 'signature'])('fails with another %s, or none', (name) => {
    const { [name]: value = '', ...others } = download;
    expect(verify({ ...others, [name]: `${value}1` })).toBeNull();
    expect(verify(others)).toBeNull();
  });

  it.each(['action', 'key', 'expires', 'max-bytes', 'Content-Type'])(
    'of a form fails with another %s',
    (name) => {
      expect(verify({ ...upload.fields, [name]: `${upload.fields[name]}0` })).toBeNull();
    },
  );

  it('of a URL does not allow to write, nor that of a form to read', () => {
    expect(
      verify({ ...download, action: 'upload', 'max-bytes': '9', 'Content-Type': 'text/csv' }),
    ).toBeNull();
    expect(verify({ ...upload.fields, action: 'download' })).toBeNull();
  });

  it('fails under another secret', () => {
    expect(verify(download, NOW, 'K'.repeat(16))).toBeNull();
  });

  it('keeps its parts apart', () => {
    const one = queryOf(signDownload(SIGNER, 'a', { seconds: 1, filename: 'bc' }));
    expect(verify({ ...one, key: 'ab', filename: 'c' })).toBeNull();
  });

  it.each(['toString', '__proto__', 'constructor'])('is none for the action %s', (action) => {
    expect(verify({ ...download, action })).toBeNull();
  });
});

describe('assertSigningKey', () => {
  it('takes 16 bytes and refuses 15', () => {
    expect(() => assertSigningKey('ü'.repeat(8))).not.toThrow();
    expect(() => assertSigningKey('k'.repeat(15))).toThrow('signingKey: expected at least 16 bytes');
  });
});
