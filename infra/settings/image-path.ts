/** Of one path on an image, in characters: user data, in which it stands, has its limit. */
export const MOST_PATH = 1_024;

/** An absolute path that a shell takes as it is, and that leads nowhere else by its dots. */
export const IMAGE_PATH = /^(\/(?!\.\.?(\/|$))[A-Za-z0-9._-]+)+$/;
