import type { output, ZodType } from 'zod';

/** One operation of the API: what it takes and what it answers. The OpenAPI document is made of these. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: `/v1/${string}`;
  readonly summary: string;
  readonly params?: ZodType;
  readonly query?: ZodType;
  readonly body?: ZodType;
  /** Reads the header Idempotency-Key. */
  readonly takesIdempotencyKey?: boolean;
  /** By status; every other status is a problem. */
  readonly answers: Readonly<Record<number, Answer>>;
}

interface Answer {
  readonly summary: string;
  readonly schema: ZodType;
  /** Carries the header Location. */
  readonly hasLocation?: boolean;
}

type Parsed<R, K extends string> =
  R extends Readonly<Record<K, infer S extends ZodType>> ? output<S> : undefined;

/** What a handler sees of a request: values that fit the route's schemas. */
export interface ApiRequest<R extends Route> {
  readonly params: Parsed<R, 'params'>;
  readonly query: Parsed<R, 'query'>;
  readonly body: Parsed<R, 'body'>;
  /** Bound to the caller (user, role or subject of a token), so that two callers may use one key. */
  readonly idempotencyKey: string | undefined;
}

export interface ApiAnswer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}
