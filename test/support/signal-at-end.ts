/**
 * A command loads this before anything else (`node --import`). The command then gets a SIGTERM right before it writes its
 * result. This is the last moment for a signal before the command reports that the work is done.
 */
const { stdout } = process;
const write = stdout.write.bind(stdout);
Object.assign(stdout, {
  write: (...args: Parameters<typeof write>) => {
    process.kill(process.pid, 'SIGTERM');
    return write(...args);
  },
});
