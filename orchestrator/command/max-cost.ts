import { UsageFault } from '../errors.ts';
import { priceOf } from '../plan/cost.ts';
import type { CommandContext } from './command.ts';
import type { PhaseCommand } from './command-line.ts';

/** The commands that launch instances. `validate` is one, because it reads ranges again that do not match. */
const SPENDING: readonly string[] = ['run', 'reindex', 'validate'] satisfies ('run' | PhaseCommand)[];

/**
 * The most that the run's instances may cost, in the currency of the settings: `--max-cost`, else REINDEX_MAX_COST.
 * Null: there is no bound.
 *
 * @throws UsageFault when it is not an amount, or when the settings do not say what an instance costs
 */
export function maxCostOf({ flags, offline }: CommandContext, command: string): number | null {
  if (!SPENDING.includes(command)) return null;
  const inherited = offline.environment.REINDEX_MAX_COST;
  const [origin, given] =
    flags.maxCost === undefined ? ['REINDEX_MAX_COST', inherited ?? ''] : ['--max-cost', flags.maxCost];
  if (flags.maxCost === undefined && given === '') return null;
  const amount = typeof given === 'string' && /^\d+(\.\d+)?$/.test(given) ? Number(given) : 0;
  if (amount <= 0) throw new UsageFault(`${origin} must be an amount of money above 0, e.g. 12.50`);
  if (priceOf(offline.settings) === null)
    throw new UsageFault(
      `${origin} needs to know what an instance costs: set price.per_hour in ${offline.settings.file}`,
    );
  return amount;
}
