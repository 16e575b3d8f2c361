import { enableCompileCache } from 'node:module';

// This comes before any import. It halves the start of this process and, by its folder, of the workers.
enableCompileCache();
const { runCommand } = await import('./command/run-command.ts');
process.exit(await runCommand(process.argv.slice(2), process.env, process.cwd(), process));
