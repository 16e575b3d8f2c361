/** The longest path on an image, in characters. Paths go into user data, whose size is limited. */
export const MOST_PATH = 1_024;

/** An absolute path without signs that a shell changes, and without `.` and `..`. */
export const IMAGE_PATH = /^(\/(?!\.\.?(\/|$))[A-Za-z0-9._-]+)+$/;
