export function bundleSweeper(): Promise<string> {
  return Promise.resolve('placeholder');
}
