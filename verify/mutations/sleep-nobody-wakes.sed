# file: sleep.h
# Changes of a word wake nobody.
/^static inline void sooni_wake/,/^}/ s/if (.*/if (0 \&\& old)/
