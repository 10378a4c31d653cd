import { z } from 'zod';
import type { ObjectStore } from '../storage/object-store.ts';
import { AUDIT_RESULT, RUN_RESULT, resultKey, resultPrefix } from './keys.ts';
import type { JobChange, JobRecord } from './record.ts';
import { readState } from './state.ts';

/** The one part of run.json that a record repeats. */
const runOutcomeSchema = z.looseObject({
  outcome: z.looseObject({ status: z.enum(['improved', 'not-improved', 'rejected']) }),
});

/** What a record says of published results; null until the last of them is there. */
export async function publishedResults(
  store: ObjectStore,
  { jobId, request }: Pick<JobRecord, 'jobId' | 'request'>,
): Promise<Pick<JobChange, 'results' | 'outcome'> | null> {
  const prefix = resultPrefix(jobId);
  const results: string[] = [];
  for await (const key of store.listKeys(prefix)) results.push(key.slice(prefix.length));
  if (request.kind !== 'mitigation') return results.includes(AUDIT_RESULT) ? { results } : null;
  const run = await readState(store, { key: resultKey(jobId, RUN_RESULT), schema: runOutcomeSchema });
  return run === null ? null : { results, outcome: run.value.outcome.status };
}

/** A URL per published file, by its name. */
export async function resultLinks(
  store: ObjectStore,
  { jobId, status, results = [] }: JobRecord,
  options: { readonly seconds: number },
): Promise<Record<string, string>> {
  if (status !== 'succeeded') return {};
  const links = await Promise.all(
    results.map(async (name) => {
      const filename = name.split('/').at(-1)!;
      const url = await store.downloadUrl(resultKey(jobId, name), { ...options, filename });
      return [name, url] as const;
    }),
  );
  return Object.fromEntries(links);
}
