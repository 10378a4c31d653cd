import type { SignatureRequest } from '../../core/jobs/decision-record.ts';
import type { FileRecord, RunRecord } from '../../core/jobs/run-record.ts';

/**
 * Who signs what. The roles are those of a clinical deployment; who holds one is for the organisation to say, and
 * one person may hold several.
 *
 * @see docs/decision.md
 */
export function signaturesOf(run: RunRecord, files: readonly FileRecord[]): SignatureRequest[] {
  const audits = files.filter(({ name }) => name.startsWith('audit-'));
  const model = files.filter(({ name }) => name.startsWith('model/') || name === 'mask.safetensors');
  const check = files.filter(({ name }) => name === 'check.json');
  const isKept = run.outcome.status === 'improved';
  return [
    {
      role: 'data owner',
      confirms: [
        'These are the data and labels that were meant, and they may be used for this purpose.',
        'The rows that were left out, and the groups that are small or empty, are known and accepted.',
      ],
      items: [...run.inputs, ...check],
      signature: null,
    },
    {
      role: 'domain lead',
      confirms: [
        'The figures by group were read, on every audited set, with their supports and intervals.',
        isKept
          ? 'The decisions that each group gained and lost, and the threshold, are acceptable in use.'
          : 'The gaps of the model that stays in use are known, and what follows from them was decided.',
      ],
      items: audits,
      signature: null,
    },
    {
      role: 'ML engineer',
      confirms: [
        'The run was made with these settings, this seed and this version, and "counterweight verify" found no difference.',
        isKept ? 'The model that is deployed has these hashes.' : 'No model of this run is deployed.',
      ],
      items: model,
      signature: null,
    },
    {
      role: 'compliance officer',
      confirms: [
        'The three others have signed, and every point to look at has an answer on file.',
        'The SHA-256 of run.json is kept where this folder cannot be changed from.',
      ],
      items: [...files],
      signature: null,
    },
  ];
}
