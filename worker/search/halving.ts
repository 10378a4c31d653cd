import { NonFiniteError } from '../../core/errors.ts';

/*
 * Successive halving (Jamieson and Talwalkar 2016, arXiv 1502.07943): many settings are trained for a short while, the
 * best of them go on for longer, and so forth. A bracket is one such race; Hyperband (Li et al. 2018, arXiv 1603.06560)
 * runs several, since which start too slowly to be seen is not known beforehand.
 */

/** So many settings train to the end of an epoch (from 1). */
export interface Rung {
  readonly epoch: number;
  readonly settings: number;
}

export type Bracket = readonly Rung[];

export interface BracketRules {
  /** Epochs at which settings are judged, ascending, at least one. */
  readonly epochs: readonly number[];
  /** Settings of a whole bracket. */
  readonly settings: number;
  /** Of a rung's settings, one in so many goes on. */
  readonly factor: number;
}

/** The bracket that so many settings enter. At least one reaches the last rung. */
export function bracketOf(settings: number, { epochs, factor }: BracketRules): Bracket {
  let left = settings;
  return epochs.map((epoch, place) => {
    if (place > 0) left = Math.max(1, Math.floor(left / factor));
    return { epoch, settings: left };
  });
}

/** Epochs of training that a bracket takes. */
export function epochsOf(bracket: Bracket): number {
  return bracket.reduce(
    (sum, { epoch, settings }, place) => sum + settings * (epoch - (bracket[place - 1]?.epoch ?? 0)),
    0,
  );
}

/** The largest bracket within so many epochs, null where none is. */
export function largestBracket(epochs: number, rules: BracketRules): Bracket | null {
  for (let settings = rules.settings; settings > 0; settings -= 1) {
    const bracket = bracketOf(settings, rules);
    if (epochsOf(bracket) <= epochs) return bracket;
  }
  return null;
}

/** Whole brackets as far as the epochs go, then what the rest allows. */
export function planBrackets(epochs: number, rules: BracketRules): Bracket[] {
  const planned: Bracket[] = [];
  for (let left = epochs; ; ) {
    const bracket = largestBracket(left, rules);
    if (bracket === null) return planned;
    planned.push(bracket);
    left -= epochsOf(bracket);
  }
}

/** How a setting stands at a rung; less is better, violations first, and no disparity is worst. */
export interface Standing {
  /** Guard rails that its best candidate breaks. */
  readonly violations: number;
  readonly disparity: number | null;
}

/** Training of one setting, which rests at the rungs while others train. */
export interface Contender {
  /** Trains on to the end of an epoch and is judged there. */
  reach(epoch: number): Promise<Standing>;
  dispose(): void;
}

/**
 * Runs a bracket. Contenders enter one by one, and no more of them rest than can go on; equal ones go on in the order
 * in which they entered. All are disposed in the end, however it comes.
 *
 * @param enter  makes the contender of a place, from 0
 */
export async function runBracket(
  bracket: Bracket,
  enter: (place: number) => Contender,
  onRung?: (rung: Rung, place: number) => void,
): Promise<void> {
  const alive = new Set<Contender>();
  const opened = (contender: Contender) => {
    alive.add(contender);
    return contender;
  };
  let entrants = Array.from({ length: bracket[0]!.settings }, (_, place) => () => opened(enter(place)));
  try {
    for (const [place, rung] of bracket.entries()) {
      onRung?.(rung, place);
      let best: { readonly contender: Contender; readonly standing: Standing }[] = [];
      for (const open of entrants) {
        const contender = open();
        best.push({ contender, standing: await contender.reach(rung.epoch) });
        best = best.toSorted((a, b) => compareStandings(a.standing, b.standing));
        for (const { contender: beaten } of best.splice(bracket[place + 1]?.settings ?? 0)) {
          beaten.dispose();
          alive.delete(beaten);
        }
      }
      entrants = best.map(
        ({ contender }) =>
          () =>
            contender,
      );
    }
  } finally {
    for (const contender of alive) contender.dispose();
  }
}

export function compareStandings(a: Standing, b: Standing): number {
  return a.violations - b.violations || rankOf(a.disparity) - rankOf(b.disparity);
}

const rankOf = (disparity: number | null): number => disparity ?? Number.MAX_VALUE;

/** Behind every setting that could be judged. */
const LAST: Standing = { violations: Number.MAX_SAFE_INTEGER, disparity: null };

/** Drawn rates may be too high: a setting whose training leaves the finite numbers has lost, and the race goes on. */
export function losingWhenDiverged(contender: Contender, onDiverged: () => void): Contender {
  let hasDiverged = false;
  return {
    dispose: contender.dispose,
    async reach(epoch) {
      if (hasDiverged) return LAST;
      try {
        return await contender.reach(epoch);
      } catch (error) {
        if (!(error instanceof NonFiniteError)) throw error;
        hasDiverged = true;
        onDiverged();
        return LAST;
      }
    },
  };
}
