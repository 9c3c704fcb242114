namespace Skep.Lab;

/// <summary>What <c>lab up</c> is asked for.</summary>
/// <param name="Swarm">Join the machines into one swarm.</param>
/// <param name="Data">Where the machines' data goes; null keeps it in the lab's own folder.</param>
/// <param name="DaemonCommand">What to run as the daemon; empty is this very program.</param>
internal sealed record LabWish(int Nodes, bool Swarm, string? Data, IReadOnlyList<string> DaemonCommand)
{
    public string DataOf(LabPlace place) => Data is null ? $"{place.Folder}/data" : Path.GetFullPath(Data);
}
