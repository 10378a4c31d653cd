import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { auditPrefix, folderOf, isId, UPLOADS } from '../../core/jobs/keys.ts';
import { type ScheduledAudit, scheduledAuditSchema } from '../../core/jobs/settle-audit.ts';
import { readState } from '../../core/jobs/state.ts';
import { renderAuditReport } from '../../core/report/audit-report.ts';
import type { ObjectStore } from '../../core/storage/object-store.ts';

const MODEL_FILE = 'model.json';
/** Of each kind; whoever has more writes a key into a request. */
const MOST_INPUTS = 500;
const MOST_AUDITS = 50;

/** What a request may name, by key. */
export interface Inputs {
  readonly models: readonly string[];
  readonly tables: readonly string[];
}

/** Model folders and tables below `uploads/` of a root, the names in order. */
export async function listInputs(root: string): Promise<Inputs> {
  const folder = path.join(root, UPLOADS);
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const keys = entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .map((name) => `${UPLOADS}${name.split(path.sep).join('/')}`)
    .sort();
  const models = keys.filter((key) => key.endsWith(`/${MODEL_FILE}`)).map(folderOf);
  const tables = keys.filter((key) => key.toLowerCase().endsWith('.csv'));
  return { models: models.slice(0, MOST_INPUTS), tables: tables.slice(0, MOST_INPUTS) };
}

/** A scheduled audit in a listing. */
export interface AuditSummary extends Pick<ScheduledAudit, 'definition' | 'time' | 'verdict' | 'mitigation'> {
  /** Where its report is shown. */
  readonly report: string;
}

interface AuditName {
  readonly definition: string;
  readonly time: string;
}

/** What the definitions found last, the newest first. */
export async function listAudits(store: ObjectStore): Promise<AuditSummary[]> {
  const names: AuditName[] = [];
  for await (const { key } of store.list('audits/')) {
    const [, definition, time] = /^audits\/([^/]+)\/(\d{8}T\d{6}Z)\.json$/.exec(key) ?? [];
    if (definition !== undefined && time !== undefined) names.push({ definition, time });
  }
  names.sort((a, b) => (a.time < b.time ? 1 : -1));
  const audits = await Promise.all(names.slice(0, MOST_AUDITS).map((name) => summaryOf(store, name)));
  return audits.filter((audit) => audit !== null);
}

async function summaryOf(store: ObjectStore, name: AuditName): Promise<AuditSummary | null> {
  const audit = await readAudit(store, name);
  if (audit === null) return null;
  const { definition, time, verdict, mitigation } = audit;
  const report = `/local/audits/${name.definition}/${name.time}`;
  return { definition, time, verdict, report, ...(mitigation && { mitigation }) };
}

/** The report of one scheduled audit as a page; null when there is none. */
export async function auditPage(store: ObjectStore, name: AuditName): Promise<string | null> {
  const audit = await readAudit(store, name);
  if (audit === null) return null;
  const source = `definition ${audit.definition}, period from ${audit.time}`;
  return renderAuditReport(audit.report, { title: 'Scheduled fairness audit', source });
}

async function readAudit(
  store: ObjectStore,
  { definition, time }: AuditName,
): Promise<ScheduledAudit | null> {
  if (!isId(definition)) return null;
  const key = `${auditPrefix(definition)}${time}.json`;
  return (await readState(store, { key, schema: scheduledAuditSchema }))?.value ?? null;
}
