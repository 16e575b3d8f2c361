import type { Reporter } from '../../orchestrator/report/reporter.ts';

export const SILENT_REPORTER: Reporter = {
  phaseStarted: () => {},
  phaseFinished: () => {},
  progress: () => {},
  note: () => {},
  warning: () => {},
  failure: () => {},
  close: () => {},
};
