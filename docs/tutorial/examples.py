"""The tutorial's hands-on examples 1 to 3, in their order.

They need a host at QUANTUM_URL with the plugins oci and kubernetes configured (docs/tutorial-pipeline.md), and the token
of an author and operator of tenant-123 in QUANTUM_TOKEN.
"""

import asyncio
import os

from client import Client

client = Client(os.environ["QUANTUM_URL"], os.environ["QUANTUM_TOKEN"])

# 1. Define the intent
intent_definition = {
    "name": "deploy-web-app",
    "definition": {
        "target": "production",
        "steps": [
            {"action": "build-docker-image", "image": "myapp:latest", "context": "./app"},
            {"action": "push-to-registry", "registry": "azurecr.io", "image": "myapp:latest"},
            {"action": "deploy-to-kubernetes", "namespace": "production", "replicas": 3},
        ],
    },
}


async def create_and_execute():
    # 2. Create the intent
    response = await client.post("/api/v1/intents", json=intent_definition)
    intent_id = response.json()["id"]

    # 3. Execute the intent
    execution = await client.post(f"/api/v1/intents/{intent_id}/execute")
    return execution.json()["execution_id"]


# Monitor execution progress
async def monitor_execution(execution_id: str):
    async for event in client.stream(f"/api/v1/executions/{execution_id}/events"):
        if event["type"] == "step_completed":
            print(f"Step {event['step']} completed: {event['result']}")
        elif event["type"] == "execution_completed":
            print(f"Execution {execution_id} completed successfully")
            break
        elif event["type"] == "execution_failed":
            print(f"Execution {execution_id} failed: {event['error']}")
            break


async def several_tenants():
    # Switch tenant context
    client.set_tenant("tenant-123")

    # Create intent for specific tenant
    intent = await client.post("/api/v1/intents", json=intent_definition)

    # List intents for current tenant
    intents = await client.get("/api/v1/intents")
    print("Intents of tenant-123:", [known["name"] for known in intents["items"]])

    # Execute intent (automatically scoped to tenant)
    execution = await client.post(f"/api/v1/intents/{intent['id']}/execute")
    await monitor_execution(execution["execution_id"])


async def main():
    await monitor_execution(await create_and_execute())
    await several_tenants()


asyncio.run(main())
