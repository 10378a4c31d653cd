import { describe, expect, it } from 'vitest';
import { signaturesOf } from '../../../worker/decision/signatures.ts';
import { FILES } from '../../helpers/decision-samples.ts';
import { IMPROVED_RUN } from '../../helpers/report-samples.ts';

describe('signaturesOf', () => {
  it('asks four people to sign, each for files with their hashes, and is unsigned', () => {
    const signatures = signaturesOf(IMPROVED_RUN, FILES);
    expect(signatures.map(({ role, items }) => [role, items.map(({ name }) => name)])).toEqual([
      ['data owner', IMPROVED_RUN.inputs.map(({ name }) => name)],
      ['domain lead', ['audit-before.json']],
      ['ML engineer', ['model/model.json']],
      ['compliance officer', ['audit-before.json', 'model/model.json']],
    ]);
    expect(signatures.every(({ signature }) => signature === null)).toBe(true);
  });

  it('has the domain lead decide about the gaps of the original where that stays', () => {
    const outcome = { ...IMPROVED_RUN.outcome, status: 'rejected' as const };
    const [, lead, engineer] = signaturesOf({ ...IMPROVED_RUN, outcome }, FILES);
    expect(lead!.confirms[1]).toMatch(/^The gaps of the model that stays in use are known/);
    expect(engineer!.confirms[1]).toBe('No model of this run is deployed.');
  });
});
