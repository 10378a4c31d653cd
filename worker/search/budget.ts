import { INSTANCES, PRICES } from '../commands/plan-prices.ts';

/** What a search may take, the preset's grid included. */
export type Budget =
  | { readonly unit: 'epochs'; readonly epochs: number }
  | {
      readonly unit: 'seconds';
      /** Of one process of so many. */
      readonly secondsOf: (processes: number) => number;
    };

const SECONDS = { m: 60, h: 3600 } as const;

/** The dearest hour that the queue of infra/ may pay, so that a search never costs more than was said. */
const USD_PER_HOUR = Math.max(...Object.values(INSTANCES).map(({ onDemand }) => PRICES[onDemand].usd));

/**
 * A budget from its text: `2.5x` the epochs of the grid, `60epochs`, `10m` or `2h` of each process, `2usd` of all
 * processes together.
 *
 * @param text  as `budgetSchema` has it
 * @param gridEpochs  epochs that the grid alone takes
 */
export function budgetOf(text: string, gridEpochs: number): Budget {
  const [, digits, unit] = /^([\d.]+)(\D+)$/.exec(text) as unknown as [string, string, Unit];
  const amount = Number(digits);
  switch (unit) {
    case 'x':
      return { unit: 'epochs', epochs: Math.floor(amount * gridEpochs) };
    case 'epochs':
      return { unit: 'epochs', epochs: Math.floor(amount) };
    case 'm':
    case 'h':
      return { unit: 'seconds', secondsOf: () => amount * SECONDS[unit] };
    case 'usd':
      return { unit: 'seconds', secondsOf: (processes) => (amount / USD_PER_HOUR / processes) * 3600 };
    default:
      return unit satisfies never;
  }
}

type Unit = 'x' | 'epochs' | 'm' | 'h' | 'usd';
