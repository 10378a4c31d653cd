import { describe, expect, it } from 'vitest';
import {
  assertPrefix,
  assertSeconds,
  assertStart,
  assertUploadTerms,
  contentDisposition,
  unmetCondition,
} from '../../../core/storage/store-input.ts';

const WEEK = 7 * 24 * 3600;
const terms = { seconds: 60, maxBytes: 1, contentType: 'text/csv' };

describe('keys', () => {
  it('start with a prefix that may be empty, a folder or a part of a name', () => {
    const longest = 'k'.repeat(255);
    for (const prefix of ['', 'a', 'a/', 'a/b', '.', longest, `${longest}/`]) {
      expect(() => assertPrefix(prefix), prefix).not.toThrow();
    }
    for (const prefix of ['/', 'a//', '../', 'a\ud800', `${longest}k`]) {
      expect(() => assertPrefix(prefix), prefix).toThrow('prefix: expected');
    }
  });

  it('are what a list starts behind', () => {
    for (const startAfter of ['', 'a', 'a/b']) expect(() => assertStart(startAfter)).not.toThrow();
    for (const startAfter of ['/', 'a/', '\udc00']) {
      expect(() => assertStart(startAfter)).toThrow('startAfter: expected a key');
    }
  });
});

describe('terms', () => {
  it('last from a second to a week', () => {
    for (const seconds of [1, WEEK]) expect(() => assertSeconds(seconds)).not.toThrow();
    for (const seconds of [0, WEEK + 1, 1.5, Number.NaN])
      expect(() => assertSeconds(seconds)).toThrow('seconds');
  });

  it('of a form bound its size to what S3 takes in one request', () => {
    for (const maxBytes of [1, 5 * 1024 ** 3]) {
      expect(() => assertUploadTerms('a', { ...terms, maxBytes })).not.toThrow();
    }
    for (const maxBytes of [0, 0.5, 5 * 1024 ** 3 + 1]) {
      expect(() => assertUploadTerms('a', { ...terms, maxBytes })).toThrow('maxBytes');
    }
  });

  it.each(['text/csv', 'application/vnd.apache.parquet', 'text/csv; charset=utf-8', 'image/svg+xml'])(
    'take the type %s',
    (contentType) => {
      expect(() => assertUploadTerms('a', { ...terms, contentType })).not.toThrow();
    },
  );

  it.each(['', 'csv', 'text/', '/csv', 'text/csv\r\nX: 1', 'text/csv, a/b', 'text/*'])(
    'refuse the type "%s"',
    (contentType) => {
      expect(() => assertUploadTerms('a', { ...terms, contentType })).toThrow('contentType');
    },
  );
});

describe('contentDisposition', () => {
  it.each([
    ['report.html', `attachment; filename="report.html"; filename*=UTF-8''report.html`],
    ['a "b"\\c.txt', `attachment; filename="a _b__c.txt"; filename*=UTF-8''a%20_b__c.txt`],
    ['報告.html', `attachment; filename="__.html"; filename*=UTF-8''%E5%A0%B1%E5%91%8A.html`],
    ["it's (1)*.txt", `attachment; filename="it's (1)*.txt"; filename*=UTF-8''it%27s%20%281%29%2A.txt`],
    ['100%.txt', `attachment; filename="100_.txt"; filename*=UTF-8''100%25.txt`],
    ['../a\r\nX: 1', `attachment; filename=".._a__X: 1"; filename*=UTF-8''.._a__X%3A%201`],
    ['\ud800', `attachment; filename="_"; filename*=UTF-8''_`],
  ])('writes %j in one line, for old clients and new ones', (filename, header) => {
    expect(contentDisposition(filename)).toBe(header);
  });
});

describe('unmetCondition', () => {
  it('says what was expected, and not the etag', () => {
    expect(unmetCondition('absent')).toMatchObject({ code: 'CONFLICT', details: { onlyIf: 'absent' } });
    const changed = unmetCondition({ etag: 'e7a9' });
    expect(changed).toMatchObject({ code: 'CONFLICT', details: { onlyIf: 'etag' } });
    expect(changed.message).not.toContain('e7a9');
  });
});
