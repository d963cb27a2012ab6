"""The schemas as a contract with what is deployed and stored: what was released, and what a change means for it."""
