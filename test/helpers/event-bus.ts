import { setTimeout as sleep } from 'node:timers/promises';

/** What becomes of an event on its way: AWS promises that it comes at least once, in any order; here it may be lost. */
export type Delivery = 'once' | 'twice' | 'late' | 'lost';

export interface EventBus {
  /** Sends an event to whom it is for; returns at once. */
  send(event: unknown): void;
  /** Decides about the events to come. */
  plan(deliveryOf: () => Delivery): void;
  /** Events that their handler refused in every round. */
  readonly deadLetters: readonly unknown[];
  /** Ends when nothing is on its way. */
  settle(): Promise<void>;
}

/** As Lambda's asynchronous calls: the first round and the retries, though with shorter pauses. */
const ROUNDS = 6;
const FIRST_PAUSE_MS = 50;
const LATE_MS = 1500;

/** EventBridge in front of the handlers: what they throw brings the event again, after a pause. */
export function makeEventBus(handle: (event: unknown) => Promise<void>): EventBus {
  const underway = new Set<Promise<void>>();
  const deadLetters: unknown[] = [];
  let deliveryOf = (): Delivery => 'once';

  async function deliver(event: unknown, delayMs: number): Promise<void> {
    await sleep(delayMs);
    for (let round = 0; round < ROUNDS; round += 1) {
      try {
        return await handle(structuredClone(event));
      } catch {
        await sleep(FIRST_PAUSE_MS * 2 ** round);
      }
    }
    deadLetters.push(event);
  }

  function start(event: unknown, delayMs: number): void {
    const delivery = deliver(event, delayMs).finally(() => underway.delete(delivery));
    underway.add(delivery);
  }

  return {
    send(event) {
      const delivery = deliveryOf();
      if (delivery === 'lost') return;
      start(event, delivery === 'late' ? LATE_MS : 0);
      if (delivery === 'twice') start(event, LATE_MS / 2);
    },
    plan(next) {
      deliveryOf = next;
    },
    deadLetters,
    async settle() {
      while (underway.size > 0) await Promise.all(underway);
    },
  };
}
