"""Pull requests on the services that host git: GitHub, GitLab and Azure DevOps.

Contract-tested against stub servers with the shapes of the services' published API
documentation (each module names its pages), not live-tested.
"""
