import { describe, expect, it } from 'vitest';
import { withoutData, withoutPaths } from '../../../core/jobs/redact.ts';

describe('withoutData', () => {
  it('keeps a quoted text only if the request named it, at any depth', () => {
    const request = { columns: { label: 'outcome', sensitiveFeatures: ['sex'] } };
    const message = 'expected a column "sex", received the columns "outcome", "Jane Doe", "7 Elm \\"St\\""';
    expect(withoutData(message, request)).toBe(
      'expected a column "sex", received the columns "outcome", "…", "…"',
    );
  });

  it('takes nothing that is not text for known', () => {
    expect(withoutData('received "7" and "null"', { a: 7, b: null })).toBe('received "…" and "…"');
  });

  it('leaves the names of settings, of which no table knows', () => {
    const message = 'options: "batchSize" must be at most 4096, received 5000';
    expect(withoutData(message, {})).toBe(message);
  });
});

describe('withoutPaths', () => {
  it('puts a name in the place of each path, with whatever leads up to it', () => {
    const message = '/tmp/x-1/uploads/a/t.csv, line 2: see "/tmp/x-1/uploads/a/t.csv" and uploads/a/b.png';
    expect(withoutPaths(message, { table: 'uploads/a/t.csv', '': 'uploads/a/' })).toBe(
      'table, line 2: see "table" and b.png',
    );
  });
});
