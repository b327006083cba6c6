# %%
import json
from openai import OpenAI
client = OpenAI()
NOTES = {"tea": "Tea is a leaf.", "coffee": "Coffee is a bean."}
# %%
def look_up(topic):
    return NOTES.get(topic.split()[0].lower(), "unknown")

schema = {"type": "object", "properties": {"topic": {"type": "string"}}, "required": ["topic"]}
offer = [{"type": "function", "function": {"name": "look_up", "description": "Look up.", "parameters": schema}}]
# %%
def ask(question):
    messages = [{"role": "user", "content": question}]
    while True:
        answer = client.chat.completions.create(model="m", messages=messages, tools=offer)
        message = answer.choices[0].message
        messages.append(message.to_dict())
        if not message.tool_calls:
            return message.content, messages
        for call in message.tool_calls:
            found = look_up(**json.loads(call.function.arguments))
            messages.append({"role": "tool", "tool_call_id": call.id, "content": found})
# %%
said, messages = ask("tea, please")
print(said)
# %%
answers = {topic: ask(topic)[0] for topic in NOTES}
answers
# %%
roles = [message["role"] for message in messages]
roles
# %%
usage = client.chat.completions.create(model="m", messages=messages[:1]).usage
usage.total_tokens > 0
