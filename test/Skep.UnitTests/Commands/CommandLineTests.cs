using Skep.Commands;
using Skep.Commands.Lab;

namespace Skep.UnitTests.Commands;

public sealed class CommandLineTests
{
    [Theory]
    [InlineData("lab exec 2 -- docker ps -a --format x")]
    [InlineData("lab up --nodes 5 --no-swarm --name other")]
    [InlineData("lab kill node3 --daemon-only")]
    [InlineData("lab logs 1 -f")]
    [InlineData("daemon --label a=1 --label b=2 --log-level debug")]
    [InlineData("test UnitTests")]
    [InlineData("up")]
    public void VerbsAreUnderstood(string line) => Assert.Empty(CommandLine.Build().Parse(line.Split(' ')).Errors);

    [Theory]
    [InlineData("lab exec 0 -- true")]
    [InlineData("lab exec 1")]
    [InlineData("lab kill x")]
    [InlineData("lab fly")]
    [InlineData("daemon --bogus")]
    public void WhatMakesNoSenseIsAnError(string line) => Assert.NotEmpty(CommandLine.Build().Parse(line.Split(' ')).Errors);

    [Fact]
    public void EveryVerbHasHelp() => Assert.All(
        CommandLine.Build().Subcommands.SelectMany(verb => verb.Subcommands.Append(verb)),
        verb => Assert.False(string.IsNullOrEmpty(verb.Description), verb.Name));

    [Fact]
    public void MachinesAreListedAsDockerListsThings() => Assert.Equal(
        """
        LAB   NODE    ADDRESS     SOCKET        PID   STATE
        lab   node1   10.77.0.1   /run/1.sock   42    up
        lab   node2   10.77.0.2   /run/2.sock   -     off

        """,
        LabListCommand.Render(
        [
            new LabRow("lab", "node1", "10.77.0.1", "/run/1.sock", 42, "up"),
            new LabRow("lab", "node2", "10.77.0.2", "/run/2.sock", 0, "off"),
        ]));
}
