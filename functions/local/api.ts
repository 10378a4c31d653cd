import type { IncomingHttpHeaders } from 'node:http';
import { makeCancelJob } from '../cancel-job.ts';
import { makeCreateAudit } from '../create-audit.ts';
import { makeCreateJob } from '../create-job.ts';
import { makeCreateUpload } from '../create-upload.ts';
import { makeGetJob } from '../get-job.ts';
import { makeGetOpenapi } from '../get-openapi.ts';
import type { AuditDeps } from '../lib/audit-deps.ts';
import type { HttpEvent, HttpHandler } from '../lib/events.ts';
import type { Route } from '../lib/route.ts';
import { ROUTES } from '../lib/routes.ts';
import { makeListJobs } from '../list-jobs.ts';

/** The factory of each operation's handler, the same that AWS runs. */
const HANDLERS = {
  createAudit: makeCreateAudit,
  createJob: makeCreateJob,
  listJobs: makeListJobs,
  getJob: makeGetJob,
  cancelJob: makeCancelJob,
  createUpload: makeCreateUpload,
  getOpenapi: makeGetOpenapi,
} as const satisfies Record<keyof typeof ROUTES, (deps: AuditDeps) => HttpHandler>;

/** One request as it came over HTTP. */
export interface ApiRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly requestId: string;
}

type ApiMatch =
  | { readonly handler: HttpHandler; readonly params: Readonly<Record<string, string>> }
  /** The path exists, for these methods. */
  | { readonly allow: readonly string[] };

/** The operation that a method and a path name; null for a path that none has. */
export type MatchApi = (method: string, pathname: string) => ApiMatch | null;

interface Operation {
  readonly route: Route;
  readonly pattern: RegExp;
  readonly handler: HttpHandler;
}

export function makeApi(deps: AuditDeps): MatchApi {
  const operations: Operation[] = Object.entries<Route>(ROUTES).map(([name, route]) => ({
    route,
    pattern: patternOf(route.path),
    handler: HANDLERS[name as keyof typeof ROUTES](deps),
  }));
  return (method, pathname) => {
    const fitting = operations.filter(({ pattern }) => pattern.test(pathname));
    if (fitting.length === 0) return null;
    const found = fitting.find(({ route }) => route.method === method);
    if (found === undefined) return { allow: fitting.map(({ route }) => route.method) };
    const { groups = {} } = found.pattern.exec(pathname)!;
    const params = Object.fromEntries(Object.entries(groups).map(([name, text]) => [name, decoded(text)]));
    return { handler: found.handler, params };
  };
}

/** `/v1/jobs/{id}` takes one segment for `{id}`. */
function patternOf(path: string): RegExp {
  const source = path.replaceAll('.', '\\.').replace(/\{(\w+)\}/g, '(?<$1>[^/]+)');
  return new RegExp(`^${source}$`);
}

/** What cannot be decoded stays as it is, and fits no schema. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The event that API Gateway (payload format 2.0) would make of a request. */
export function toEvent(request: ApiRequest, pathParameters: Readonly<Record<string, string>>): HttpEvent {
  const { url, headers, body, requestId } = request;
  const flat = Object.entries(headers).map(([name, value]) => [name, [value].flat().join(', ')] as const);
  const names = [...new Set(url.searchParams.keys())];
  return {
    headers: Object.fromEntries(flat),
    ...(Object.keys(pathParameters).length > 0 && { pathParameters }),
    ...(names.length > 0 && {
      queryStringParameters: Object.fromEntries(
        names.map((name) => [name, url.searchParams.getAll(name).join(',')]),
      ),
    }),
    ...(body.length > 0 && { body: body.toString('base64'), isBase64Encoded: true }),
    requestContext: { requestId },
  };
}
