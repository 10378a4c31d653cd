import type { CheckSummary } from '../checks/types.ts';
import type { SetFigures } from '../fairness/set-figures.ts';
import type { DisparityName } from '../fairness/types.ts';

/** `rejected`: the data cannot carry the method. `not-improved`: no candidate met the guard rails. */
export type Outcome = 'improved' | 'not-improved' | 'rejected';

/** Support of one (group, label) cell. */
export interface Cell {
  /** Where several features are mitigated: the one, or the intersection, that the group is of. */
  readonly sensitiveFeature?: string;
  readonly group: string;
  /** 0 or 1; where there are classes, the index of one */
  readonly label: number;
  /** Where there are classes. */
  readonly className?: string;
  readonly support: number;
}

/** One part of the data and what it was used for. */
export interface DataPart {
  readonly name: 'tune' | 'select' | 'test';
  readonly support: number;
  readonly cells: readonly Cell[];
}

/** One set that the model was audited on, before and after. */
export interface AuditedSetRecord {
  /** Value of the split column, name given to a manifest, or the part of the external data. */
  readonly name: string;
  readonly source: 'split' | 'manifest' | 'part';
  readonly support: number;
  /** Cells of the mitigated feature. */
  readonly cells: readonly Cell[];
  /** Files of the run folder; `after` is null where no changed model was audited. */
  readonly before: string;
  readonly after: string | null;
  /** Of the mitigated feature, before and after. */
  readonly figures: { readonly before: SetFigures; readonly after: SetFigures | null };
}

/** A cell of an intersection that is too small to be a group of its own: its rows count in its parents only. */
export interface MergedCell {
  /** The intersection. */
  readonly sensitiveFeature: string;
  readonly group: string;
  /** What it has too few of, in words. */
  readonly reason: string;
}

/** A disparity by one feature, or by one intersection of features. */
export interface FeatureDisparity {
  readonly sensitiveFeature: string;
  readonly disparity: number | null;
}

export interface DataUse {
  /** Rows in the manifest, and in that of the audited data where it has its own. */
  readonly rows: number;
  /** Rows that no part holds, with the reason in words. */
  readonly excluded: readonly { readonly reason: string; readonly rows: number }[];
  readonly parts: readonly DataPart[];
  /** Where intersections are mitigated: their cells that are no groups of their own. */
  readonly merged?: readonly MergedCell[];
  /** The part that the before and after audits were made on. */
  readonly auditedOn: DataPart['name'];
  /** False when the audited part also steered training or selection: its figures are then optimistic. */
  readonly isIndependent: boolean;
}

export interface MaskLayer {
  readonly parameter: string;
  readonly size: number;
  /** Weights in the mask; for a soft mask, the sum of its entries. */
  readonly selected: number;
  /** Why a tensor is left out (constant importance, no gradient), when it is. */
  readonly note?: string;
}

export interface MaskSummary {
  /** False when the chosen candidate left the body alone: the mask was found, but nothing was tuned by it. */
  readonly isApplied: boolean;
  readonly kind: 'hard' | 'soft';
  /** Percentile of the ratio above which a weight is selected; null for a soft mask. */
  readonly percentile: number | null;
  readonly selected: number;
  readonly total: number;
  readonly layers: readonly MaskLayer[];
  /** Jaccard overlap in [0, 1] of the masks that two halves of the data give; null when a half is too small. */
  readonly stability: number | null;
}

/** One epoch (stage 1) or one solver step (stage 2 of `robust`). */
export interface CurvePoint {
  readonly step: number;
  readonly loss: number;
  readonly taskLoss: number;
  readonly disparityLoss: number;
}

/** What one candidate reached on the select part. */
export interface SelectFigures {
  /** Where several features are mitigated, the largest of theirs. */
  readonly disparity: number | null;
  /** Where several features are mitigated: each of them, and each intersection. */
  readonly byFeature?: readonly FeatureDisparity[];
  readonly auc: number | null;
  readonly balancedAccuracy: number | null;
  readonly threshold: number;
  readonly groups: readonly {
    /** With that of its feature before it where several are mitigated. */
    readonly group: string;
    readonly auc: number | null;
    readonly truePositiveRate: number | null;
    readonly falsePositiveRate: number | null;
  }[];
  /** At 95 %, as if the candidate had been fixed beforehand: of one that was chosen by them they are optimistic. */
  readonly intervals?: { readonly disparity: Bounds | null; readonly auc: Bounds | null };
}

interface Bounds {
  readonly low: number;
  readonly high: number;
}

export interface CandidateRecord {
  readonly id: string;
  readonly kind: 'bmft' | 'control' | 'original';
  /** Settings that differ between candidates, e.g. percentile, lambda, learningRate, epochs. */
  readonly settings: Readonly<Record<string, number | string | boolean>>;
  readonly select: SelectFigures;
  /** Guard rails that it broke, in words; empty when feasible. */
  readonly violations: readonly string[];
  readonly isChosen: boolean;
  /** Found by a search beyond the preset's grid; absent otherwise. */
  readonly isDrawn?: boolean;
}

/** What a search beyond the preset's grid did. */
export interface SearchRecord {
  /** As it was asked for. */
  readonly budget: string;
  /** Body settings of the grid, each trained to its end. */
  readonly gridSettings: number;
  /** Races of drawn settings: how many trained to the end of which epoch. */
  readonly brackets: readonly (readonly { readonly epoch: number; readonly settings: number }[])[];
  /** Epochs that body settings were trained for, the grid's included. */
  readonly epochs: number;
  /** Drawn settings that lost because their training left the finite numbers. */
  readonly diverged: number;
}

/** Difference of means over seeds, with the interval of a bootstrap over seeds and subjects. */
export interface PairedDifference {
  /** Null when a figure is not defined. */
  readonly value: number | null;
  /** Null when the draws do not define one. */
  readonly interval: { readonly low: number; readonly high: number } | null;
}

/** What a control of the mask reached on the audited data. */
export interface ControlRecord {
  readonly control: string;
  readonly status: string;
  /** Why it has no figures, or what stands against it. */
  readonly reasons: readonly string[];
  readonly figures: Pick<SelectFigures, 'disparity' | 'auc' | 'balancedAccuracy'> | null;
  /** Weights that differ from the original's. */
  readonly parametersTouched: number;
  /** What the run kept minus the control; null without figures. */
  readonly difference: { readonly disparity: PairedDifference; readonly auc: PairedDifference } | null;
}

export interface ControlsRecord {
  /** Of the intervals. */
  readonly level: number;
  readonly replicates: number;
  readonly results: readonly ControlRecord[];
}

export interface FileRecord {
  /** Path inside the run folder, or the base name of an input. */
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** Content of `run.json`. It holds no time and no absolute path: same seed, same bytes. */
export interface RunRecord {
  readonly schemaVersion: 1;
  readonly tool: { readonly name: 'counterweight'; readonly version: string };
  readonly environment: {
    readonly backend: string;
    readonly backendVersion: string;
    readonly backendDetail: string;
    readonly node: string;
    readonly platform: string;
  };
  readonly preset: string;
  readonly seed: number;
  readonly options: Readonly<Record<string, unknown>>;
  readonly model: {
    readonly name: string;
    readonly format: string;
    readonly inputShape: readonly number[];
    readonly head: string;
    readonly bodyWeights: number;
    readonly headWeights: number;
    /** What there is to know about how its file was read; one sentence each. */
    readonly notes?: readonly string[];
  };
  readonly data: DataUse;
  /** What was found in the data before anything was trained on it (`check.json`); absent where nothing looked. */
  readonly check?: CheckSummary & {
    /** Whether the run went on with data that is unfit, because it was told to. */
    readonly isOverruled: boolean;
  };
  /** Values of the split column; null where every row is external data. */
  readonly splits: { readonly external: string; readonly test: readonly string[] } | null;
  /** The first decides the outcome, all others are only measured. */
  readonly audited: readonly AuditedSetRecord[];
  readonly outcome: {
    readonly status: Outcome;
    /** The feature that is mitigated; of several, that with the largest disparity before. */
    readonly sensitiveFeature: string;
    /** Where several features are mitigated: each of them, and each intersection; `before` and `after` are the largest. */
    readonly features?: readonly {
      readonly sensitiveFeature: string;
      readonly before: number | null;
      readonly after: number | null;
    }[];
    readonly metric: DisparityName;
    readonly before: number | null;
    readonly after: number | null;
    readonly aucBefore: number | null;
    readonly aucAfter: number | null;
    readonly reasons: readonly string[];
  };
  /** Decision threshold on the score; `biasShift` is what was added to the head's bias to keep it (0 = none). */
  readonly threshold: { readonly value: number; readonly biasShift: number };
  readonly mask: MaskSummary | null;
  readonly curves: { readonly body: readonly CurvePoint[]; readonly head: readonly CurvePoint[] };
  readonly candidates: readonly CandidateRecord[];
  /** Present when controls of the mask were asked for. */
  readonly controls?: ControlsRecord;
  /** Absent where only the preset's grid was tried. */
  readonly search?: SearchRecord;
  readonly inputs: readonly FileRecord[];
  readonly outputs: readonly FileRecord[];
}
