/** A backend for Kvant that rounds weights to bfloat16. */
package com.example.bf16;
