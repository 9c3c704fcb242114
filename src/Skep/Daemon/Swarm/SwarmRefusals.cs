using Skep.Model.Errors;

namespace Skep.Daemon.Swarm;

/// <summary>Why this machine cannot do what was asked, in the words that clients of Docker know.</summary>
internal static class SwarmRefusals
{
    public static ClusterException AlreadyMember() => new(
        ErrorKind.Unavailable,
        "This node is already part of a swarm. Use \"docker swarm leave\" to leave this swarm and join another one.");

    public static ClusterException NotMember() => new(ErrorKind.Unavailable, "This node is not part of a swarm");

    public static ClusterException JoinTimeout() => new(
        ErrorKind.Unavailable,
        "Timeout was reached before node joined. The attempt to join the swarm will continue in the background. Use the \"docker info\" command to see the current swarm status of your node.");

    public static ClusterException LastManager() => new(
        ErrorKind.Unavailable,
        "You are attempting to leave the swarm on a node that is participating as a manager. Removing the last manager erases all current state of the swarm. Use `--force` to ignore this message.");
}
