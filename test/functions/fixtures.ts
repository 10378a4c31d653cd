import type { AuditDeps } from '../../functions/lib/audit-deps.ts';
import { makeAuditTable } from '../../functions/lib/audit-table.ts';
import { makeStartBackend } from '../../functions/lib/backend.ts';
import type { HttpResponse } from '../../functions/lib/events.ts';
import { makeTelemetry } from '../../functions/lib/telemetry.ts';
import { makeTestDeps, putInputs, type TestDeps } from '../core/jobs/fixtures.ts';

interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

export interface FunctionTestDeps extends TestDeps, AuditDeps {
  readonly store: TestDeps['store'];
  readonly queues: TestDeps['queues'];
  /** Everything that was written, line by line. */
  readonly written: string[];
  /** Log lines, without metrics. */
  readonly logs: () => LogLine[];
  /** Metrics as `name` or `name definition`, with their values. */
  readonly metrics: () => [string, number][];
}

const startBackend = makeStartBackend();

/** Deps in memory that audit on the real WASM backend. */
export function makeFunctionDeps(): FunctionTestDeps {
  const deps = makeTestDeps();
  const written: string[] = [];
  const lines = () => written.map((line) => JSON.parse(line) as LogLine);
  return {
    ...deps,
    written,
    telemetry: makeTelemetry({ write: (line) => written.push(line), now: deps.now }),
    auditTable: makeAuditTable({ store: deps.store, startBackend }),
    logs: () => lines().filter((line) => !('_aws' in line)),
    metrics: () =>
      lines()
        .filter((line) => '_aws' in line)
        .map((line) => {
          const [name] = Object.keys(line).filter((key) => !['_aws', 'Definition', 'Stage'].includes(key));
          return [`${name} ${String(line.Definition)}`, Number(line[name!])];
        }),
  };
}

/** The same, with every input of the sample requests uploaded. */
export async function makeReadyDeps(): Promise<FunctionTestDeps> {
  const deps = makeFunctionDeps();
  await putInputs(deps.store);
  return deps;
}

export function bodyOf({ body }: HttpResponse): Record<string, unknown> {
  return JSON.parse(body) as Record<string, unknown>;
}
