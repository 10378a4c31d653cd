import type { DataUse } from '../../jobs/run-record.ts';

/** Did the run choose among candidates under guard rails? Presets with fixed settings have no select part. */
export function hasSelection({ parts }: DataUse): boolean {
  return parts.some(({ name }) => name === 'select');
}
