import { z } from 'zod';
import { definitionSchema } from '../../core/jobs/definitions.ts';
import { scheduledAuditSchema } from '../../core/jobs/settle-audit.ts';
import type { Route } from './route.ts';
import { ROUTES } from './routes.ts';

const problemSchema = z.strictObject({
  code: z.string(),
  message: z.string(),
  requestId: z.string(),
  issues: z.array(z.string()).optional().describe('what is wrong with the request, one sentence each'),
});

type Json = Record<string, unknown>;

/** The OpenAPI 3.1 document of the routes, every schema as zod has it. */
export function openapiDocument(): Json {
  const paths: Record<string, Json> = {};
  for (const [operationId, route] of Object.entries<Route>(ROUTES)) {
    const path = paths[route.path] ?? {};
    paths[route.path] = { ...path, [route.method.toLowerCase()]: operation(operationId, route) };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Counterweight', version: '1' },
    paths,
    components: {
      schemas: {
        Problem: jsonSchema(problemSchema, 'output'),
        Definition: jsonSchema(definitionSchema, 'input'),
        ScheduledAudit: jsonSchema(scheduledAuditSchema, 'output'),
      },
    },
  };
}

function operation(operationId: string, route: Route): Json {
  return {
    operationId,
    summary: route.summary,
    parameters: [
      ...parameters(route.params, 'path'),
      ...parameters(route.query, 'query'),
      ...(route.takesIdempotencyKey ? [IDEMPOTENCY_KEY] : []),
    ],
    ...(route.body && {
      requestBody: {
        required: true,
        content: { 'application/json': { schema: jsonSchema(route.body, 'input') } },
      },
    }),
    responses: { ...answers(route), default: PROBLEM },
  };
}

const IDEMPOTENCY_KEY = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description: 'names the request in place of its content',
  schema: { type: 'string', maxLength: 200 },
};

const PROBLEM = {
  description: 'Why there is no other answer',
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
};

function answers({ answers }: Route): Json {
  const entries = Object.entries(answers).map(([status, { summary, schema, hasLocation }]) => [
    status,
    {
      description: summary,
      ...(hasLocation && { headers: { Location: { schema: { type: 'string' } } } }),
      content: { 'application/json': { schema: jsonSchema(schema, 'output') } },
    },
  ]);
  return Object.fromEntries(entries);
}

function parameters(schema: Route['query'], where: 'path' | 'query'): Json[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = jsonSchema(schema, 'input') as {
    properties?: Record<string, Json>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, { description, ...property }]) => ({
    name,
    in: where,
    required: required.includes(name),
    ...(description !== undefined && { description }),
    schema: property,
  }));
}

function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io });
  return rest;
}
