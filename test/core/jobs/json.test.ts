import { describe, expect, it } from 'vitest';
import { parseJson, toJson } from '../../../core/jobs/json.ts';

const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;

describe('parseJson', () => {
  it('reads JSON with or without a byte order mark', () => {
    expect(parseJson('\uFEFF{"a":[1]}', 'body')).toEqual({ a: [1] });
  });

  it.each(['', '{', 'secret', '{"a":1}x', 'undefined'])('refuses %j without repeating it', (text) => {
    expect(() => parseJson(text, 'body')).toThrow(
      expect.objectContaining({ message: 'body: expected JSON, received text that is no JSON' }),
    );
  });

  it('takes 32 levels and refuses 33', () => {
    expect(() => parseJson(nested(32), 'body')).not.toThrow();
    expect(() => parseJson(nested(33), 'body')).toThrow('at most 32 levels');
  });

  it('refuses depths that overflow a stack', () => {
    expect(() => parseJson(nested(200_000), 'body')).toThrow(
      expect.objectContaining({ code: 'INVALID_INPUT' }),
    );
    expect(() => parseJson(`${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`, 'body')).toThrow(
      expect.objectContaining({ code: 'INVALID_INPUT' }),
    );
  });

  it('reads what toJson wrote', () => {
    expect(parseJson(toJson({ a: [1, { b: null }] }), 'state')).toEqual({ a: [1, { b: null }] });
  });
});
