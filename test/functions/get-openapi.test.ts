import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { definitionSchema } from '../../core/jobs/definitions.ts';
import { scheduledAuditSchema } from '../../core/jobs/settle-audit.ts';
import { makeGetOpenapi } from '../../functions/get-openapi.ts';
import type { Route } from '../../functions/lib/route.ts';
import { ROUTES } from '../../functions/lib/routes.ts';
import { apiEvent } from './events.ts';
import { bodyOf, makeFunctionDeps } from './fixtures.ts';

interface Operation {
  readonly operationId: string;
  readonly parameters: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: {
    readonly content: Readonly<Record<string, { readonly schema: z.core.JSONSchema.BaseSchema }>>;
  };
  readonly responses: Readonly<
    Record<
      string,
      { readonly content: Readonly<Record<string, { readonly schema: z.core.JSONSchema.BaseSchema }>> }
    >
  >;
}
interface OpenApi {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, unknown>> };
}

async function fetchDocument(): Promise<OpenApi> {
  const event = apiEvent({ method: 'GET', path: '/v1/openapi.json' });
  const response = await makeGetOpenapi(makeFunctionDeps())(event);
  expect(response.statusCode).toBe(200);
  return bodyOf(response) as unknown as OpenApi;
}

/** Examples of docs/api.md: a JSON block below a line `<!-- example: … -->`. */
const examples = [
  ...readFileSync(path.join(import.meta.dirname, '../../docs/api.md'), 'utf8').matchAll(
    /<!-- example: (.+?) -->\s+```json\n(.+?)```/gs,
  ),
].map(([, name, text]) => [name!, JSON.parse(text!) as unknown] as const);

/** `createJob request`, `createJob 202`, `Definition`: the zod schema that an example must fit. */
function schemaOf(name: string): z.ZodType {
  if (name === 'Definition') return definitionSchema;
  if (name === 'ScheduledAudit') return scheduledAuditSchema;
  const [operation, part] = name.split(' ') as [keyof typeof ROUTES, string];
  const route: Route = ROUTES[operation];
  const schema = part === 'request' ? route.body : route.answers[Number(part)]?.schema;
  if (schema === undefined) throw new Error(`no schema for the example "${name}"`);
  return schema;
}

/** The schema of the same part in the document itself, read back by zod. */
function documentedSchema(document: OpenApi, name: string): z.ZodType {
  if (name === 'Definition' || name === 'ScheduledAudit') {
    return z.fromJSONSchema(document.components.schemas[name] as z.core.JSONSchema.JSONSchema);
  }
  const [operationId, part] = name.split(' ') as [string, string];
  const operations = Object.values(document.paths).flatMap((path) => Object.values(path));
  const operation = operations.find((each) => each.operationId === operationId)!;
  const { content } = part === 'request' ? operation.requestBody! : operation.responses[part]!;
  return z.fromJSONSchema(content['application/json']!.schema as z.core.JSONSchema.JSONSchema);
}

describe('GET /v1/openapi.json', () => {
  it('lists every route with its answers, and a problem for all the rest', async () => {
    const { openapi, paths } = await fetchDocument();
    expect(openapi).toBe('3.1.0');
    for (const [operationId, route] of Object.entries<Route>(ROUTES)) {
      const operation = paths[route.path]?.[route.method.toLowerCase()];
      expect(operation?.operationId).toBe(operationId);
      expect(Object.keys(operation!.responses)).toEqual([...Object.keys(route.answers), 'default']);
      expect(operation!.requestBody !== undefined).toBe(route.body !== undefined);
    }
    const operations = Object.values(paths).flatMap((path) => Object.keys(path));
    expect(operations).toHaveLength(Object.keys(ROUTES).length);
  });

  it('names the parameters of path, query and header', async () => {
    const { paths } = await fetchDocument();
    const names = (path: string, method: string) =>
      paths[path]![method]!.parameters.map(({ name, in: where }) => `${where} ${name}`);
    expect(names('/v1/jobs', 'get')).toEqual(['query status', 'query limit', 'query after']);
    expect(names('/v1/jobs/{id}', 'delete')).toEqual(['path id']);
    expect(names('/v1/jobs', 'post')).toEqual(['header Idempotency-Key']);
  });

  it('holds no address, no key and no account', async () => {
    expect(JSON.stringify(await fetchDocument())).not.toMatch(/arn:|amazonaws|secret-bucket/);
  });
});

describe('examples in docs/api.md', () => {
  it('show every request, every answer but the document itself, and what a schedule reads and writes', () => {
    const parts = Object.entries<Route>(ROUTES).flatMap(([name, { body, answers }]) => [
      ...(body ? [`${name} request`] : []),
      ...Object.keys(answers).map((status) => `${name} ${status}`),
    ]);
    const wanted = [...parts.filter((part) => part !== 'getOpenapi 200'), 'Definition', 'ScheduledAudit'];
    expect([...new Set(examples.map(([name]) => name))].sort()).toEqual(wanted.sort());
  });

  it.each(examples)('%s fits the schema that the handlers use', (name, example) => {
    expect(schemaOf(name).safeParse(example).error?.issues).toBeUndefined();
  });

  it.each(examples)('%s fits the schema in the document', async (name, example) => {
    const schema = documentedSchema(await fetchDocument(), name);
    expect(schema.safeParse(example).error?.issues).toBeUndefined();
  });
});
