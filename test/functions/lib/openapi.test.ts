import { describe, expect, it } from 'vitest';
import { openapiDocument } from '../../../functions/lib/openapi.ts';

interface Parameter {
  readonly name: string;
  readonly required: boolean;
  readonly description?: string;
  readonly schema: Readonly<Record<string, unknown>>;
}

describe('openapiDocument', () => {
  const paths = openapiDocument().paths as Record<string, Record<string, { parameters: Parameter[] }>>;

  it('tells limits, defaults and choices of a query', () => {
    const [status, limit, after] = paths['/v1/jobs']!.get!.parameters;
    expect(status?.schema.enum).toContain('succeeded');
    expect(limit).toMatchObject({ required: false, schema: { minimum: 1, maximum: 100, default: 20 } });
    expect(after?.description).toContain('next');
    expect(after?.schema).not.toHaveProperty('description');
  });

  it('requires what is in a path', () => {
    expect(paths['/v1/jobs/{id}']!.get!.parameters).toEqual([
      expect.objectContaining({ name: 'id', required: true }),
    ]);
  });

  it('is the same at every call, and plain JSON', () => {
    const document = openapiDocument();
    expect(JSON.parse(JSON.stringify(document))).toEqual(document);
    expect(openapiDocument()).toEqual(document);
  });

  it('has patterns that mean the same without the flag u', () => {
    expect(JSON.stringify(openapiDocument())).not.toMatch(/\\\\[pP]\{/);
  });
});
