import { type AuditTable, makeAuditTable } from './audit-table.ts';
import { makeStartBackend } from './backend.ts';
import { type FunctionDeps, realDeps } from './deps.ts';

/** For the functions that audit by themselves. */
export interface AuditDeps extends FunctionDeps {
  readonly auditTable: AuditTable;
}

/** Apart from `realDeps`, so that functions that audit nothing do not carry the backend. */
export async function realAuditDeps(): Promise<AuditDeps> {
  const deps = await realDeps();
  return { ...deps, auditTable: makeAuditTable({ store: deps.store, startBackend: makeStartBackend() }) };
}
