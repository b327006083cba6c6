# %%
import os
name = "durable"
# %%
lines = !printf 'b\na\n'
sorted(lines)
# %%
!echo hello {name}
# %%
%%time
total = sum(range(1000))
# %%
value = %sx echo 42
int(value[0])
# %%
for i in range(3):
    print(i, end=" ")
# %%
text = """line one
  line two"""
print(text)
# %%
first, *others = [1, 2, 3]
{"first": first, "others": others, "walrus": (n := 10) + n}
