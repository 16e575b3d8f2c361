/** The note of a test that was left out because it would have begun too late. */
export const NO_TIME_LEFT = 'no time was left';
