namespace Skep.EndToEndTests.Swarm;

/// <summary>
/// The tests of one swarm, one after the other; each leaves three machines on and ready, and none of its services. They load the machine and
/// count what it loses, so no other lab boots meanwhile.
/// </summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class SharedSwarm : ICollectionFixture<SwarmLab>
{
    public const string Name = "swarm";
}
