/**
 * A process of its own that uses the embedded services, for tests that end such a process by force. Takes the options of
 * `useServices` as JSON; prints what it got as one line, and stops its use when its input ends.
 */
import { once } from 'node:events';
import { useServices, type UseServicesOptions } from '../../embedded/services.ts';

const progress: string[] = [];
const options = JSON.parse(process.argv[2] ?? '{}') as Omit<UseServicesOptions, 'onProgress'>;
const services = await useServices({ ...options, onProgress: (line) => progress.push(line) });
console.log(JSON.stringify({ ...services, progress }));
process.stdin.resume();
await once(process.stdin, 'end');
await services.stop();
