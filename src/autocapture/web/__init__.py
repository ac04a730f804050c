"""The pages: server-rendered, open to this machine alone until the first person can sign in, and to our people from then on."""
