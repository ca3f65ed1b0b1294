/** How much room text takes in UTF-8. */

/** What a Unicode character takes in UTF-8 at most, for each of its UTF-16 units. */
export const MAX_BYTES_PER_UNIT = 3;
