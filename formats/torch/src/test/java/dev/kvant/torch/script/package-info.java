/** Tests of reading and changing the code of archives, on texts as several torch versions write. */
@NullMarked
package dev.kvant.torch.script;

import org.jspecify.annotations.NullMarked;
